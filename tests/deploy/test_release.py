"""A release: the results that it records, and that only signed and unchanged ones are accepted."""

import json
import shutil
import subprocess
import sys
import tarfile
from datetime import date
from pathlib import Path
from typing import Final

import pytest

from deploy import release
from deploy.release import ReleaseError
from privacy.security_page import evidence
from privacy.security_page.evidence import ClaimResult, Evidence
from tests.support import services
from tests.support.signing import allow, make_key

pytestmark = pytest.mark.deploy

VERIFY: Final = services.ROOT / "deploy" / "verify"
LOCK: Final = """\
argon2-cffi==25.1.0 \\
    --hash=sha256:694ae5cc8a42f4c4e2bf2ca0e64e51e23a040c6a517a85074683d3959e1346c1 \\
    --hash=sha256:fdc8b074db390fccb6eb4a3604ae7231f219aa669a2652e0f20e16ba513d5741
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:4f1d9991f5acc0ca119f9d443620b77f9d6b33703e51011c16baf57afb285fc6
"""
PROJECT: Final = {
    "Makefile": "check test:\ntest-deploy:\n\tcp report.xml $$IBANSE_TEST_REPORTS/\n",
    "report.xml": (
        '<testsuites><testcase classname="tests.test_it" name="test_it"><properties>'
        '<property name="claim" value="own_key"/></properties></testcase></testsuites>'
    ),
    "pyproject.toml": '[project]\nversion = "1.2.3"\n',
    "manage.py": "import pathlib\npathlib.Path('deploy/data.md').write_text('stored')\n",
    ".gitignore": "/dist/\n/deploy/data.md\n",
    "deploy/requirements/run.txt": LOCK,
    "deploy/install": "#!/bin/sh\n",
    "ibanse/locale/sv/LC_MESSAGES/django.po": 'msgid "a"\nmsgstr "b"\n',
}


class TestResults:
    def result(self, folder: Path, *cases: tuple[str, str], slug: str = "own_key") -> ClaimResult:
        """Return the result of a claim after one run per case: the name of a test and its outcome."""
        for run, (name, outcome) in enumerate(cases):
            claim = f'<properties><property name="claim" value="{slug}"/></properties>'
            case = f'<testcase classname="tests.test_it" name="{name}">{claim}{outcome}</testcase>'
            (folder / f"{run}.xml").write_text(f"<testsuites><testsuite>{case}</testsuite></testsuites>")
        return release.results(folder)["own_key"]

    def test_claim_passes_with_all_its_tests(self, tmp_path: Path) -> None:
        assert self.result(tmp_path, ("test_a", ""), ("test_b[1]", ""), ("test_b[2]", "")) == ClaimResult("passed", 3)

    def test_one_failure_fails_the_claim(self, tmp_path: Path) -> None:
        assert self.result(tmp_path, ("test_a", ""), ("test_a", "<failure/>"), ("test_b", "")) == ClaimResult(
            "failed", 2
        )

    def test_error_fails_the_claim(self, tmp_path: Path) -> None:
        assert self.result(tmp_path, ("test_a", "<error/>")) == ClaimResult("failed", 1)

    def test_claim_with_a_test_skipped_everywhere_is_not_run(self, tmp_path: Path) -> None:
        assert self.result(tmp_path, ("test_a", ""), ("test_b", "<skipped/>")) == ClaimResult("not run", 2)

    def test_test_that_ran_once_counts(self, tmp_path: Path) -> None:
        assert self.result(tmp_path, ("test_a", "<skipped/>"), ("test_a", "")) == ClaimResult("passed", 1)

    def test_claim_without_tests_is_not_run(self, tmp_path: Path) -> None:
        assert self.result(tmp_path, ("test_a", ""), slug="keys_apart") == ClaimResult("not run", 0)

    def test_every_claim_has_a_result(self, tmp_path: Path) -> None:
        assert set(release.results(tmp_path)) == {claim.slug for claim in evidence.claims()}

    def test_report_of_pytest_is_read(self, tmp_path: Path) -> None:
        tests = "tests/privacy/crypto/test_cipher.py"
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={tmp_path}/it.xml", tests]
        subprocess.run(command, check=True, cwd=services.ROOT, capture_output=True)

        result = release.results(tmp_path)["own_key"]

        assert result.result == "passed"
        assert result.tests > 5


class TestMakeRelease:
    """`make release` of a small project whose suites take no time."""

    @pytest.fixture
    def key(self, tmp_path: Path) -> Path:
        return make_key(tmp_path)

    @pytest.fixture
    def project(self, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        if shutil.which("git") is None:
            pytest.skip(services.missing("git"))
        project = tmp_path / "project"
        for name, content in PROJECT.items():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(content)
        (project / "deploy/install").chmod(0o755)
        monkeypatch.setattr(release, "ROOT", project)
        monkeypatch.setenv("RELEASE_KEY", str(key))
        self.git(project, "init", "--quiet")
        self.commit(project)
        return project

    def git(self, project: Path, *arguments: str) -> str:
        identity = ["-c", "user.name=test", "-c", "user.email=test@ibanse.example", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(project), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, project: Path) -> None:
        self.git(project, "add", "--all")
        self.git(project, "commit", "--quiet", "--message=A change")

    def test_archive_is_complete_and_signed(self, project: Path, key: Path, tmp_path: Path) -> None:
        release.main()

        with tarfile.open(project / "dist" / "ibanse-1.2.3.tar.gz") as archive:
            archive.extractall(tmp_path, filter="data")
        folder = tmp_path / "ibanse-1.2.3"
        signers = allow(key, tmp_path / "signers")
        assert subprocess.run([VERIFY, folder, signers], check=True, capture_output=True, text=True).stdout == (
            "Signed by release@ibanse.example.\n"
        )
        names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert names - set(PROJECT) == {
            "SHA256SUMS", "SHA256SUMS.sig", "evidence.json", "sbom.cdx.json", "deploy/data.md",
            "ibanse/locale/sv/LC_MESSAGES/django.mo",
        }  # fmt: skip
        assert (folder / "deploy/install").stat().st_mode & 0o777 == 0o755
        found = evidence.read(folder / "evidence.json")
        assert found is not None
        assert (found.version, found.commit) == ("1.2.3", self.git(project, "rev-parse", "HEAD"))
        assert found.claims["own_key"] == ClaimResult("passed", 1)
        assert found.claims["keys_apart"] == ClaimResult("not run", 0)

    def test_installation_copies_every_file(self, project: Path, key: Path, tmp_path: Path) -> None:
        release.main()
        production = services.ROOT / "deploy" / "production.sh"
        archive, signers = project / "dist" / "ibanse-1.2.3.tar.gz", allow(key, tmp_path / "signers")
        # As in install and upgrade: a sourced function finds deploy/verify through $0.
        script = (
            f'. {production}; signers={signers}; mkdir a; tar -C a -xf {archive}; stage a/ibanse-1.2.3; rm -r "$staged"'
        )

        command = ["sh", "-euc", script, str(VERIFY)]
        done = subprocess.run(command, check=True, cwd=tmp_path, capture_output=True, text=True)

        assert done.stdout == "Signed by release@ibanse.example.\n"

    def test_libraries_are_listed(self, project: Path, tmp_path: Path) -> None:
        found = Evidence("1.2.3", "0" * 40, date(2026, 11, 26), {})

        bill = release.bill_of_materials(project / "deploy/requirements/run.txt", found)

        assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
        argon, colorama = bill["components"]
        assert (argon["purl"], argon["scope"]) == ("pkg:pypi/argon2-cffi@25.1.0", "required")
        assert [each["content"][:8] for each in argon["hashes"]] == ["694ae5cc", "fdc8b074"]
        assert (colorama["purl"], colorama["scope"]) == ("pkg:pypi/colorama@0.4.6", "optional")
        assert bill["dependencies"][0]["dependsOn"] == [argon["bom-ref"], colorama["bom-ref"]]
        json.dumps(bill)

    def test_our_lock_can_be_listed(self) -> None:
        lock = services.ROOT / "deploy" / "requirements" / "run.txt"

        bill = release.bill_of_materials(lock, Evidence("1.2.3", "0" * 40, date(2026, 11, 26), {}))

        assert {"django", "cryptography", "gunicorn"} <= {each["name"] for each in bill["components"]}
        assert all(len(hash_["content"]) == 64 for each in bill["components"] for hash_ in each["hashes"])

    def test_missing_key_is_refused(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for key in ("", str(project / "no-key")):
            monkeypatch.setenv("RELEASE_KEY", key)
            with pytest.raises(ReleaseError, match="Name the key that signs: make release RELEASE_KEY="):
                release.main()

    def test_unusable_key_is_refused(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RELEASE_KEY", str(project / "Makefile"))

        with pytest.raises(ReleaseError, match="cannot sign"):
            release.main()

    def test_uncommitted_change_is_refused(self, project: Path) -> None:
        (project / "new.py").touch()

        with pytest.raises(ReleaseError, match="A release is made from a commit"):
            release.main()

    def test_failing_suite_is_refused(self, project: Path) -> None:
        (project / "Makefile").write_text("check:\ntest:\n\tfalse\n")
        self.commit(project)

        with pytest.raises(ReleaseError, match="No release: `make test` failed"):
            release.main()
        assert not (project / "dist").exists()

    def test_change_during_the_tests_is_refused(self, project: Path) -> None:
        (project / "Makefile").write_text("check test test-deploy:\n\techo >>pyproject.toml\n")
        self.commit(project)

        with pytest.raises(ReleaseError, match="A release is made from a commit"):
            release.main()


class TestVerify:
    """deploy/verify, which install and upgrade call before they use anything of a release."""

    @pytest.fixture
    def key(self, tmp_path: Path) -> Path:
        return make_key(tmp_path)

    @pytest.fixture
    def folder(self, tmp_path: Path, key: Path) -> Path:
        folder = tmp_path / "ibanse"
        (folder / "deploy").mkdir(parents=True)
        (folder / "manage.py").write_text("print()\n")
        (folder / "deploy" / "a file").write_text("with a space\n")
        release.sign_folder(folder, key)
        allow(key, tmp_path / "signers")
        return folder

    def verify(self, folder: Path, signers: Path | None = None) -> str:
        """Return the error for a refused release, empty for an accepted one."""
        command = [VERIFY, folder, signers or folder.parent / "signers"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert bool(done.returncode) == bool(done.stderr), done
        return done.stderr

    def test_signed_release_is_accepted(self, folder: Path) -> None:
        assert self.verify(folder) == ""

    def test_changed_file_is_named(self, folder: Path) -> None:
        (folder / "manage.py").write_text("print(1)\n")

        assert "manage.py: FAILED" in self.verify(folder)

    def test_added_file_is_named(self, folder: Path) -> None:
        (folder / "deploy" / "more").touch()

        assert "not listed: deploy/more" in self.verify(folder)

    def test_missing_file_is_named(self, folder: Path) -> None:
        (folder / "manage.py").unlink()

        assert "missing: manage.py" in self.verify(folder)

    def test_renamed_file_is_named(self, folder: Path) -> None:
        (folder / "manage.py").rename(folder / "other.py")

        assert "missing: manage.py\nnot listed: other.py" in self.verify(folder)

    def test_newline_in_a_name_is_refused(self, folder: Path) -> None:
        (folder / "manage.py\nx").touch()

        assert "not listed" in self.verify(folder)

    @pytest.mark.parametrize("target", ["manage.py", "deploy", "/etc/passwd", "SHA256SUMS"])
    def test_link_is_refused(self, folder: Path, target: str) -> None:
        (folder / "link").symlink_to(target)

        assert "./link is neither a file nor a folder" in self.verify(folder)

    def test_link_instead_of_a_file_is_refused(self, folder: Path) -> None:
        (folder / "manage.py").rename(folder.parent / "manage.py")
        (folder / "manage.py").symlink_to(folder.parent / "manage.py")

        assert "./manage.py is neither a file nor a folder" in self.verify(folder)

    @pytest.mark.parametrize("name", ["SHA256SUMS", "SHA256SUMS.sig"])
    def test_missing_signature_is_refused(self, folder: Path, name: str) -> None:
        (folder / name).unlink()

        assert self.verify(folder) == f"Not a signed release: {name} is missing.\n"

    def test_changed_checksums_are_refused(self, folder: Path) -> None:
        (folder / "manage.py").write_text("print(1)\n")
        signature = (folder / "SHA256SUMS.sig").read_bytes()
        release.sign_folder(folder, make_key(folder.parent, "other"))
        (folder / "SHA256SUMS.sig").write_bytes(signature)

        assert "does not fit SHA256SUMS" in self.verify(folder)

    def test_unknown_signer_is_refused(self, folder: Path) -> None:
        release.sign_folder(folder, make_key(folder.parent, "other"))

        assert "Not signed by anybody in" in self.verify(folder)

    def test_signature_for_another_purpose_is_refused(self, folder: Path, key: Path) -> None:
        (folder / "SHA256SUMS.sig").unlink()
        subprocess.run(["ssh-keygen", "-Y", "sign", "-q", "-f", key, "-n", "file", folder / "SHA256SUMS"], check=True)

        assert "is not for releases of ibanse" in self.verify(folder, allow(key, folder.parent / "any", options=""))

    def test_key_for_another_purpose_is_refused(self, folder: Path, key: Path) -> None:
        signers = allow(key, folder.parent / "other", options='namespaces="file"')

        assert "is not for releases of ibanse" in self.verify(folder, signers)

    def test_expired_key_is_refused(self, folder: Path, key: Path) -> None:
        assert self.verify(folder, allow(key, folder.parent / "old", options='valid-before="20200101"'))

    def test_missing_allowed_signers_are_refused(self, folder: Path) -> None:
        assert "There is no file of allowed signers" in self.verify(folder, folder.parent / "nobody")
