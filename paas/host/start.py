"""``make run``: from a fresh machine to a sample app that answers, then the platform's log in the foreground."""

from __future__ import annotations

import os
from collections.abc import Mapping

from . import controlplane, dataplane, debian, environment, images, sample, setup
from .install import Install, with_free_port
from .origin import Origin
from .settings import Settings, read
from .shell import HostError
from .steps import Steps
from .supervisor import Log, Supervisor, wait_for

CONSOLE_SECONDS = 120


def start() -> int:
    """Start the platform and stay until Ctrl-C, SIGTERM or an error."""
    settings, steps = read(os.environ), Steps()
    debian.check_machine()
    settings.state.mkdir(parents=True, exist_ok=True)
    with controlplane.only_one(settings.state):
        setup.check_ports(settings)
        setup.machine(steps, debian.NEEDS)
        install = setup.install_of(settings)
        install, stack_image = setup.tools(settings, install, steps)
        install = with_free_port(settings.state, install, "web_port")
        variables = environment.of(settings, install, stack_image)
        environment.save(settings, variables)
        _prepare(settings, install, variables, steps)
        log = Log(settings.state / "log" / "platform.log")
        supervisor = Supervisor(controlplane.processes(install, variables, settings.state), log)
        steps.say("Starting the control plane ...")
        supervisor.run(lambda: _finish(settings, variables, steps, supervisor))
    steps.say("The control plane has stopped. Apps, router and logs go on; `make stop` ends them too.")
    return 0


def _prepare(settings: Settings, install: Install, variables: Mapping[str, str], steps: Steps) -> None:
    """Bring database, static files and data plane up to date; none of them waits for another."""

    def database() -> None:
        with steps.step("Migrating the database"):
            controlplane.manage(variables, "migrate", "--database", "owner", "--no-input", "--verbosity", "0")
            first = {"PAAS_ADMIN_EMAIL": settings.admin_email, "PAAS_ADMIN_PASSWORD": settings.admin_password}
            controlplane.manage(variables, "setup", **first)

    def static() -> None:
        controlplane.collect_static(variables, settings.state)

    def data_plane() -> None:
        with steps.step("Router and cell"):
            dataplane.ensure(settings, install, images.ensure_base(steps.say))

    steps.together(database, static, data_plane)


def _finish(settings: Settings, variables: Mapping[str, str], steps: Steps, supervisor: Supervisor) -> None:
    """Wait for the console, push the sample, print the closing block, and show the log from there on."""
    origin = Origin(settings, timeout=10)

    def answers() -> bool:
        try:
            return origin.fetch("GET", settings.domain, "/v3/info").status == 200
        except OSError:
            return False

    wait_for(supervisor, answers, "The console", seconds=CONSOLE_SECONDS)
    steps.say("The console answers")
    with steps.step("Sample app"):
        token = controlplane.manage(variables, "sample_token").strip()
        seconds = sample.push(settings, token, steps.say)
    link = controlplane.manage(variables, "signin_link").strip()
    print(closing_block(settings, link, seconds, elapsed=steps.elapsed()), flush=True)
    supervisor.log.shown = True
    _offer_services(variables, steps)


def _offer_services(variables: Mapping[str, str], steps: Steps) -> None:
    """Put services on offer; what teams' databases here run from is built only now, when nobody has to wait for it."""
    controlplane.manage(variables, "offer_services", "amazon")
    try:
        images.ensure_services(steps.say)
    except HostError as error:
        steps.say(f"The platform's own services are not on offer: {error}")
        return
    controlplane.manage(variables, "offer_services")


def closing_block(settings: Settings, link: str, seconds: float, *, elapsed: str) -> str:
    """Return what the operator needs next, for the terminal."""
    user = settings.admin_email or "admin"
    trust = " --skip-ssl-validation" if settings.tls == "self-signed" else ""
    rule = "─" * 78
    rows = [
        ("Console", settings.address),
        ("Sign in", f"{link}  (works once)" if link else f"as {user}, with the password you gave"),
        ("cf", f"cf api {settings.address}{trust}"),
        ("", f"cf login -u {user}" + ("" if settings.admin_email else "   (set a password in the console first)")),
        ("Sample app", f"{settings.address_of(sample.host(settings))}  (fetched just now, in {seconds * 1000:.0f} ms)"),
    ]
    body = "\n".join(f"  {name:<12}{text}" for name, text in rows)
    return f"\n{rule}\n  Ready after {elapsed}\n\n{body}\n\n  Ctrl-C stops the control plane; `make stop` stops everything.\n{rule}\n"
