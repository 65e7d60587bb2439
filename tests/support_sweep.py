"""The sweep in a gate without processes: rounds of it, as often as a test says."""

from dataclasses import dataclass

from support_gate import Gate

from foureyes.github_app import storage
from foureyes.github_app.deps import Deps, make_deps
from foureyes.github_app.sweep_tables import pull_read
from foureyes.github_app.sweeper import Sweeper
from foureyes.github_app.tables import work
from foureyes.shared.agents import Catalogue


@dataclass
class Swept:
    gate: Gate
    sweeper: Sweeper

    @property
    def deps(self) -> Deps:
        return self.sweeper.deps

    def round(self, most: int = 200, *, forgotten: bool = True) -> None:
        """Every errand once to its end, and every lane that it woke. `forgotten`: GitHub's own list of deliveries does
        not have what was lost.
        """
        if forgotten:
            assert self.gate.sandbox.wait_delivered()
            self.gate.sandbox.world.courier.log.clear()
        self.sweeper.begin()
        for _ in range(most):
            if not self.sweeper.turn():
                break
        else:
            raise AssertionError("the errands do not come to rest")
        self.settle()

    def settle(self) -> None:
        """Looks at all that is pending, without the pauses between what the sweep found."""
        with storage.writing(self.gate.engine) as conn:
            conn.execute(work.update().where(work.c.not_before == 0).values(due_at=0))
        self.gate.settle(most=1_000)


def age_reads(gate: Gate) -> None:
    """As if everything had been read long after it happened: the lag that GitHub may have is over."""
    with storage.writing(gate.engine) as conn:
        conn.execute(pull_read.update().values(read_at=pull_read.c.read_at + 60_000))


def sweeping(gate: Gate) -> Swept:
    deps = make_deps(gate.settings, gate.engine, Catalogue((), ()), gate.observe)
    return Swept(gate, Sweeper(deps, every=300))
