"""Moves what is to be served to ``public``, and writes the web server's configuration and start script."""

import os
import shutil
import subprocess
from pathlib import Path

import supplied
from buildpack import refuse, say, title
from nginx import configuration
from options import options

NEVER_SERVED = ("Staticfile", "Staticfile.auth", "manifest.yml", "manifest.yaml", ".cfignore", ".profile", ".profile.d")
NEVER_SERVED += ("nginx", ".git", "Procfile")
BOOT = """\
#!/bin/sh
sed "s/{{port}}/$PORT/" "$HOME/nginx/conf/nginx.conf" > "$TMPDIR/nginx.conf"
exec /usr/sbin/nginx -e stderr -p "$HOME/nginx" -c "$TMPDIR/nginx.conf"
"""


def main(app: Path, cache: Path, deps: Path, index: Path, profile: Path) -> None:
    chosen = options(app)
    folder = app / "nginx" / "conf"
    folder.mkdir(parents=True, exist_ok=True)
    protected = (app / "Staticfile.auth").is_file()
    if protected:
        shutil.copyfile(app / "Staticfile.auth", folder / ".htpasswd")
        say("Visitors have to give a user name and a password of Staticfile.auth.")
    _publish(app, chosen.root)
    (folder / "nginx.conf").write_text(configuration(app, chosen, protected=protected))
    (app / "boot.sh").write_text(BOOT)
    (app / "boot.sh").chmod(0o755)
    _check(app)
    title(f"Serving {sum(len(files) for _, _, files in os.walk(app / 'public'))} files")
    supplied.write_profile(deps, profile)


def _publish(app: Path, root: str) -> None:
    """Make the served folder the app's ``public``, so that nothing else of the app can be asked for."""
    served = app / ".served"
    if root:
        (app / root).rename(served)
    else:
        served.mkdir()
        for entry in list(app.iterdir()):
            if entry.name not in (*NEVER_SERVED, served.name):
                entry.rename(served / entry.name)
    shutil.rmtree(app / "public", ignore_errors=True)
    served.rename(app / "public")


def _check(app: Path) -> None:
    """Let nginx judge its configuration now, and not when the app starts."""
    environment = {**os.environ, "PORT": "8080", "HOME": str(app), "TMPDIR": "/home/vcap/tmp"}
    Path(environment["TMPDIR"]).mkdir(exist_ok=True)
    script = BOOT.replace("exec /usr/sbin/nginx", "exec /usr/sbin/nginx -t -q")
    checked = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True)
    shutil.rmtree(environment["TMPDIR"])
    if checked.returncode:
        refuse(f"nginx does not take the configuration: {checked.stderr.strip()} Correct the Staticfile, or what it includes.")
