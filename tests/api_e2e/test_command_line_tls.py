"""The command line over TLS: a server whose certificate a private authority has signed is trusted when it is named."""

import os
import subprocess

from test_identity import bearer, local_key, secured  # noqa: F401


def test_a_private_authority_is_trusted_when_it_is_named(secured, binary, tmp_path):
    environment = {**os.environ, "HOLDFAST_API_KEY": local_key(secured), "NO_COLOR": "1"}

    def whoami(*arguments, **more):
        return subprocess.run([binary, "session", "whoami", "--api", secured.ready["http"], *arguments], capture_output=True, text=True,
                              env={**environment, **more}, cwd=tmp_path, timeout=40)

    assert whoami().returncode == 1, "nobody of the machine's has signed it"
    for done in (whoami("--ca", str(secured.trusted)), whoami(HOLDFAST_CA=str(secured.trusted))):
        assert done.returncode == 0 and done.stdout.startswith("local"), done.stderr
    assert whoami("--ca", str(tmp_path / "clients.pem")).returncode == 1, "another authority"
    assert whoami("--ca", str(tmp_path / "absent.pem")).returncode == 2
