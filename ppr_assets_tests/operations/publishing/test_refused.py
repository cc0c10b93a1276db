"""What a remote refuses stops one dump and none after it: set aside, made anew, or kept."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ppr_assets.data_repo.remote.errors import ContentRefused, Refused
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline, wait_for_a_later_name
from ppr_assets_tests.opened import publish

SECRET = "of-a-partner-16C7e42F292c6912E7710c838347Ae178B4a"
REF = "refs/ppr_assets/set_aside"

# As push protection does it: each commit of the push for itself, also what a later one removes.
SCANNER = """#!/bin/sh
while read old new ref; do
  for commit in $(git rev-list $new --not --all); do
    git diff-tree -p --root $commit | grep -q '^+.*of-a-partner' || continue
    cat >&2 <<END
{words}
END
    exit 1
  done
done
"""
GITHUB = """error: GH013: Repository rule violations found for $ref.

- GITHUB PUSH PROTECTION
  —————————————————————————————————————————
    Resolve the following violations before pushing again

    - Push cannot contain secrets

      —— GitHub Personal Access Token ——————————————————————
       locations:
         - commit: $commit

       (?) To push, remove secret from commit(s) or follow this URL to allow the secret.
       https://github.com/a/b/security/secret-scanning/unblock-secret/2gakJr"""
OF_ONES_OWN = "this does not go out of the house: $commit"


def _hook(pipeline: Pipeline, script: str) -> Path:
    hook = pipeline.remote / "hooks" / "pre-receive"
    hook.write_text(script)
    hook.chmod(0o755)
    return hook


def _saying(pipeline: Pipeline, words: str) -> Path:
    return _hook(pipeline, f"#!/bin/sh\ncat >&2 <<'END'\n{words}\nEND\nexit 1\n")


def _note(pipeline: Pipeline, text: str) -> None:
    pipeline.execute("UPDATE language SET note = %s", text)


def _night(pipeline: Pipeline) -> str:
    """A night whose dump is kept because nobody takes it; its name."""
    _, kept = pipeline.night()
    assert kept.delivery.failure is not None and pipeline.head() == kept.commit
    wait_for_a_later_name(kept.manifest.dump)
    return kept.manifest.dump


def _refs(pipeline: Pipeline) -> list[str]:
    return git(pipeline.clone, "for-each-ref", "--format=%(refname)", REF).splitlines()


def _require_agreement(pipeline: Pipeline) -> None:
    assert pipeline.head() == pipeline.remote_head()
    assert git(pipeline.clone, "status", "--porcelain", "-uall") == ""


def _remote_has(pipeline: Pipeline, dump: str) -> bool:
    return dump in git(pipeline.remote, "ls-tree", "--name-only", "main:sql_dumps").splitlines()


def test_a_dump_that_push_protection_refuses_is_kept_and_the_next_clean_one_is_delivered(
    pipeline: Pipeline,
) -> None:
    pipeline.first_night()
    before = pipeline.head()
    _hook(pipeline, SCANNER.format(words=GITHUB))
    _note(pipeline, SECRET)
    hint = ""
    for _ in range(2):  # also when nobody has done anything yet
        with pytest.raises(ContentRefused, match="refused the commit for what is in it") as caught:
            pipeline.night()
        hint = caught.value.hint
        assert caught.value.exit_code == 6
        assert "Push cannot contain secrets" in caught.value.message
        assert "unblock-secret/2gakJr" in hint
        assert pipeline.head() == pipeline.remote_head() == before
    (ref,) = _refs(pipeline)
    assert f"`{ref}`" in hint
    assert SECRET in git(pipeline.clone, "show", f"{ref}:sql_dumps/.delta_base/dump.sql")
    _note(pipeline, "clean")
    _, published = pipeline.night()
    assert (published.status, published.error()) == ("published", None)
    _require_agreement(pipeline)
    assert _refs(pipeline) == [ref]


def test_a_dump_that_is_refused_in_unknown_words_is_left_out_once_another_passes(
    pipeline: Pipeline,
) -> None:
    pipeline.first_night()
    _hook(pipeline, SCANNER.format(words=OF_ONES_OWN))
    _note(pipeline, SECRET)
    refused = _night(pipeline)
    offered_again = publish(pipeline.settings)
    assert isinstance(offered_again.error(), Refused)
    _note(pipeline, "clean")
    _, published = pipeline.night()
    assert (published.status, published.error()) == ("published", None)
    assert f"{refused} was pending in the clone and was set aside" in published.delivery.set_aside
    assert "out of the house" in published.delivery.set_aside
    assert not _remote_has(pipeline, refused)
    _require_agreement(pipeline)
    (ref,) = _refs(pipeline)
    assert SECRET in git(pipeline.clone, "show", f"{ref}:sql_dumps/{refused}")
    pipeline.change()
    assert pipeline.night()[1].error() is None


@pytest.mark.parametrize(
    "words",
    [
        "no pushes while we move house",
        "error: GH006: Protected branch update failed for refs/heads/main.\n"
        "error: Changes must be made through a pull request.",
        "GitLab: You are not allowed to push code to protected branches on this project.",
        "Your push has been rejected, because this repository has exceeded its size limit of "
        "10 MB by 5 MB. Please contact your GitLab administrator for more information.",
    ],
    ids=["unknown", "GitHub's branch", "GitLab's branch", "quota"],
)
def test_a_refusal_that_is_no_matter_of_one_dump_sets_none_aside(
    pipeline: Pipeline, words: str
) -> None:
    pipeline.first_night()
    hook = _saying(pipeline, words)
    pipeline.change()
    first = _night(pipeline)
    pipeline.change()
    second = _night(pipeline)
    assert _refs(pipeline) == []
    hook.unlink()
    _, later = pipeline.night()
    assert (later.status, later.error()) == ("unchanged", None)
    assert _remote_has(pipeline, first) and _remote_has(pipeline, second)
    _require_agreement(pipeline)


def test_what_waited_and_is_clean_is_delivered_although_the_new_dump_is_refused(
    pipeline: Pipeline,
) -> None:
    pipeline.first_night()
    away = pipeline.remote.with_name("away.git")
    pipeline.remote.rename(away)
    pipeline.change()
    clean = _night(pipeline)
    away.rename(pipeline.remote)
    _hook(pipeline, SCANNER.format(words=GITHUB))
    _note(pipeline, SECRET)
    with pytest.raises(ContentRefused):
        pipeline.night()
    assert _remote_has(pipeline, clean)
    _require_agreement(pipeline)
    assert len(_refs(pipeline)) == 1


def test_what_waited_and_is_refused_does_not_take_a_clean_one_with_it(pipeline: Pipeline) -> None:
    """The remote began to look into commits while two of them waited: the first passes."""
    pipeline.first_night()
    away = pipeline.remote.with_name("away.git")
    pipeline.remote.rename(away)
    pipeline.change()
    clean = _night(pipeline)
    _note(pipeline, SECRET)
    refused = _night(pipeline)
    away.rename(pipeline.remote)
    _hook(pipeline, SCANNER.format(words=GITHUB))
    _note(pipeline, "clean")
    _, published = pipeline.night()
    assert (published.status, published.error()) == ("published", None)
    assert f"{refused} was pending in the clone and was set aside" in published.delivery.set_aside
    assert clean not in published.delivery.set_aside
    assert _remote_has(pipeline, clean) and not _remote_has(pipeline, refused)
    _require_agreement(pipeline)


def test_a_humans_commit_that_is_refused_is_named_with_the_command(pipeline: Pipeline) -> None:
    pipeline.first_night()
    theirs = commit_files(pipeline.clone, "Data update", {"daily/a.json": f'"{SECRET}"\n'})
    _hook(pipeline, SCANNER.format(words=GITHUB))
    for _ in range(2):
        pipeline.change()
        with pytest.raises(ContentRefused, match="secrets") as caught:
            pipeline.night()
        assert f"git rebase -i {pipeline.remote_head()}" in caught.value.hint
        assert pipeline.head() == theirs
    git(pipeline.clone, "reset", "-q", "--keep", pipeline.remote_head())
    _, published = pipeline.night()
    assert published.error() is None
    _require_agreement(pipeline)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here")
def test_an_unsigned_dump_is_made_anew_once_the_clone_signs(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """Although nothing has changed since."""
    pipeline.first_night()
    _hook(
        pipeline,
        "#!/bin/sh\nwhile read old new ref; do for commit in $(git rev-list $old..$new); do\n"
        "git cat-file commit $commit | grep -q ^gpgsig && continue\n"
        "echo 'error: GH013: Repository rule violations found for refs/heads/main.' >&2\n"
        "echo '- Commits must have verified signatures.' >&2; exit 1\ndone; done\n",
    )
    pipeline.change()
    first = _night(pipeline)
    pipeline.change()
    second = _night(pipeline)
    assert _refs(pipeline) == []
    key = tmp_path / "signing"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for name, value in (
        ("gpg.format", "ssh"),
        ("user.signingkey", str(key)),
        ("commit.gpgsign", "true"),
    ):
        git(pipeline.clone, "config", name, value)
    _, later = pipeline.night()
    assert (later.status, later.error()) == ("unchanged", None)
    made_anew = f"{second}, {first} was pending in the clone and was made anew"
    assert made_anew in later.delivery.set_aside
    assert _remote_has(pipeline, first) and _remote_has(pipeline, second)
    _require_agreement(pipeline)
