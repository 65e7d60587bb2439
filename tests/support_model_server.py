"""A model on loopback that calls tools by a script, in the four dialects that agents speak.

It keeps no state: the step that it answers is the number of tool results in the request.
"""

import gzip
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple


class Write(NamedTuple):
    """A new file of one line."""

    path: Path
    line: str

    def call(self, tools: Sequence[str]) -> tuple[str, Any]:
        name, whole = str(self.path), f"{self.line}\n"
        patch = f"*** Begin Patch\n*** Add File: {self.path.name}\n+{self.line}\n*** End Patch\n"
        forms: dict[str, Any] = {
            "Write": {"file_path": name, "content": whole},
            "write_file": {"file_path": name, "content": whole},
            "create": {"path": name, "file_text": whole},
            "write": {"filePath": name, "content": whole},
            "apply_patch": patch,
        }
        return next((tool, form) for tool, form in forms.items() if tool in tools)


class Shell(NamedTuple):
    command: str

    def call(self, tools: Sequence[str]) -> tuple[str, Any]:
        given = {"command": self.command, "description": "x"}
        forms: dict[str, Any] = {
            "Bash": given,
            "bash": given,
            "run_shell_command": given,
            "exec_command": {"cmd": self.command},
            "shell_command": {"command": self.command},
        }
        return next((tool, form) for tool, form in forms.items() if tool in tools)


class Say(NamedTuple):
    """For agents without tools, which read edits out of the text: the answer to what asks with `asked` in it."""

    asked: str
    text: str


Script = Sequence[Write | Shell | Say]


@contextmanager
def model_server(script: Script) -> Iterator[str]:
    """Its address, such as http://127.0.0.1:40000."""

    class Handler(_Handler):
        pass

    Handler.script = script
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script = ()

    def log_message(self, *_arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self._json({"object": "list", "data": [{"id": "m-1", "object": "model"}]})

    def do_POST(self) -> None:
        asked = self._asked()
        if "/v1/messages" in self.path and "count" not in self.path:
            self._messages(asked)
        elif self.path.endswith("/responses"):
            self._responses(asked)
        elif "chat/completions" in self.path:
            self._chat(asked)
        elif "enerateContent" in self.path:
            self._gemini(asked)
        else:
            self._json({"input_tokens": 1})

    def _asked(self) -> dict[str, Any]:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline().strip() or b"0", 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        if self.headers.get("Content-Encoding") == "gzip":
            data = gzip.decompress(data)
        asked: dict[str, Any] = json.loads(data or b"{}")
        return asked

    def _call(self, done: int, tools: Sequence[str]) -> tuple[str, Any] | None:
        calls = [step for step in self.script if not isinstance(step, Say)]
        return calls[done].call(tools) if tools and done < len(calls) else None

    def _said(self, asked: dict[str, Any]) -> str:
        """The text for what was asked last; of the steps that fit, the first."""
        words = str(asked["messages"][-1]["content"])
        fit = (step.text for step in self.script if isinstance(step, Say) and step.asked in words)
        return next(fit, "Done.")

    def _messages(self, asked: dict[str, Any]) -> None:
        """Anthropic Messages."""
        parts = [p for m in asked["messages"] if isinstance(m["content"], list) for p in m["content"]]
        done = sum(part.get("type") == "tool_result" for part in parts)
        call = self._call(done, [tool["name"] for tool in asked.get("tools", [])])
        block: dict[str, Any] = {"type": "text", "text": "Done."}
        start, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": "Done."}
        if call:
            block = {"type": "tool_use", "id": f"toolu_{done:020}", "name": call[0], "input": call[1]}
            start = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(call[1])}
        whole = {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "model": asked["model"],
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
        end = "tool_use" if call else "end_turn"
        if not asked.get("stream"):
            self._json({**whole, "content": [block], "stop_reason": end})
            return
        self._events(
            {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}},
            {"type": "content_block_start", "index": 0, "content_block": start},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": end}, "usage": {"output_tokens": 1}},
            {"type": "message_stop"},
        )

    def _responses(self, asked: dict[str, Any]) -> None:
        """OpenAI Responses."""
        tools = asked.get("tools", [])
        done = sum(str(item.get("type")).endswith("_output") for item in asked["input"])
        call = self._call(done, [str(tool.get("name")) for tool in tools])
        custom = {tool.get("name") for tool in tools if tool["type"] == "custom"}
        item: dict[str, Any] = {"id": f"i{done}", "status": "completed"}
        if call is None:
            item |= {"type": "message", "role": "assistant"}
            item["content"] = [{"type": "output_text", "text": "Done.", "annotations": []}]
        elif call[0] in custom:
            item |= {"type": "custom_tool_call", "call_id": f"c{done}", "name": call[0], "input": call[1]}
        else:
            item |= {"type": "function_call", "call_id": f"c{done}", "name": call[0]}
            item["arguments"] = json.dumps(call[1])
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        whole = {"id": "r", "object": "response", "model": asked["model"], "usage": usage}
        self._events(
            {"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": {**whole, "status": "completed", "output": [item]}},
        )

    def _chat(self, asked: dict[str, Any]) -> None:
        """OpenAI Chat Completions."""
        tools = [tool["function"]["name"] for tool in asked.get("tools", []) if tool["type"] == "function"]
        done = sum(message["role"] == "tool" for message in asked["messages"])
        call = self._call(done, tools)
        message: dict[str, Any] = {"role": "assistant", "content": None if call else self._said(asked)}
        if call:
            function = {"name": call[0], "arguments": json.dumps(call[1])}
            message["tool_calls"] = [{"index": 0, "id": f"c{done}", "type": "function", "function": function}]
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        whole = {"id": "c", "model": asked["model"], "created": 1, "usage": usage}
        end = "tool_calls" if call else "stop"
        if not asked.get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": end}
            self._json({**whole, "object": "chat.completion", "choices": [choice]})
            return
        part = {**whole, "object": "chat.completion.chunk"}
        self._events(
            {**part, "choices": [{"index": 0, "delta": message, "finish_reason": None}]},
            {**part, "choices": [{"index": 0, "delta": {}, "finish_reason": end}]},
            "[DONE]",
        )

    def _gemini(self, asked: dict[str, Any]) -> None:
        tools = [f["name"] for tool in asked.get("tools", []) for f in tool.get("functionDeclarations", [])]
        parts = [part for content in asked["contents"] for part in content["parts"]]
        call = self._call(sum("functionResponse" in part for part in parts), tools)
        part: dict[str, Any] = (
            {"functionCall": {"name": call[0], "args": call[1]}} if call else {"text": "Done."}
        )
        usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
        candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
        answer = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-3-pro"}
        if "stream" in self.path:
            self._events(answer)
        else:
            self._json(answer)

    def _events(self, *events: dict[str, Any] | str) -> None:
        lines = []
        for event in events:
            if isinstance(event, dict) and "type" in event:
                lines.append(f"event: {event['type']}\n")
            lines.append(f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n")
        self._send("".join(lines).encode(), "text/event-stream")

    def _json(self, answer: dict[str, Any]) -> None:
        self._send(json.dumps(answer).encode(), "application/json")

    def _send(self, body: bytes, form: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", form)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
