// foureyes: tells the recorder of this machine before and after each tool that changes files.
// Written by `foureyes install`, taken away by `foureyes uninstall`.
import { spawn } from "node:child_process"

const command = @COMMAND@
const models = new Map()

// Never fails and never waits long: the agent's work goes on whatever happens here.
function tell(payload) {
  return new Promise((resolve) => {
    try {
      const child = spawn(command[0], command.slice(1), { stdio: ["pipe", "ignore", "ignore"] })
      // Not spawn's own time limit: that keeps the agent from ending for as long if there was nothing to start.
      const limit = setTimeout(() => child.kill(), 10000)
      const done = () => {
        clearTimeout(limit)
        resolve()
      }
      child.on("error", done)
      child.on("close", done)
      child.stdin.on("error", () => {})
      child.stdin.end(JSON.stringify(payload))
    } catch {
      resolve()
    }
  })
}

export const foureyes = async ({ directory }) => {
  const tool = (event, { tool, sessionID, callID }, args) =>
    tell({ event, directory, model: models.get(sessionID), input: { tool, sessionID, callID, args } })
  return {
    "chat.params": async (input) => {
      models.set(input.sessionID, input.model?.id ?? input.model?.modelID)
    },
    // So that a commit made in one of its shells can name the model.
    "shell.env": async (input, output) => {
      const model = models.get(input.sessionID)
      if (model && output?.env) output.env.FOUREYES_OPENCODE_MODEL = model
    },
    "tool.execute.before": (input, output) => tool("tool.execute.before", input, output?.args),
    "tool.execute.after": (input) => tool("tool.execute.after", input, input.args),
    event: async ({ event }) => {
      if (event?.type === "session.idle") {
        await tell({ event: event.type, directory, input: { sessionID: event.properties?.sessionID } })
      }
    },
  }
}
