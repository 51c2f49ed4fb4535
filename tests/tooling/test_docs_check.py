"""The checks of the docs, on small trees with one fault each."""

import pytest

import docs_check

PYPROJECT = """
[project]
dependencies = ["uvloop>=1", "Some_Thing[extra]; python_version < '4'"]
[dependency-groups]
dev = ["pytest"]
"""
SENTENCES = "- `uvloop`: a loop.\n- `some-thing`: a thing.\n- `pytest`: a test.\n"


@pytest.fixture
def tree(tmp_path):
    """A function that writes files by path and content, and returns their root."""

    def tree(files: dict[str, str]):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return tree


def fenced(text: str, marks: str = "python runnable") -> str:
    return f"```{marks}\n{text}\n```\n"


def test_runnable_blocks_of_a_page_share_a_namespace(tree):
    root = tree({"docs/a.md": fenced("x = 1") + "then\n" + fenced("assert x == 1")})
    assert list(docs_check.runnable_blocks_run(root)) == []


def test_a_runnable_block_that_fails_is_shown_with_its_line_on_the_page(tree):
    root = tree({"docs/deep/a.md": "# A\n\n" + fenced("1 / 0")})
    (complaint,) = docs_check.runnable_blocks_run(root)
    assert "docs/deep/a.md: an example does not run" in complaint
    assert "line 4" in complaint


def test_a_block_that_is_not_marked_does_not_run(tree):
    assert list(docs_check.runnable_blocks_run(tree({"README.md": fenced("1 / 0", "python")}))) == []


def test_each_dependency_has_one_sentence(tree):
    root = tree({"pyproject.toml": PYPROJECT, "docs/dependencies.md": SENTENCES})
    assert list(docs_check.dependencies_have_their_sentence(root)) == []


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        (SENTENCES.replace("- `uvloop`: a loop.\n", ""), "`uvloop` of pyproject.toml has no sentence"),
        (SENTENCES.replace("a loop.", ""), "`uvloop` of pyproject.toml has no sentence"),
        (SENTENCES + "- `httpx`: a client.\n", "`httpx` is no dependency"),
        (SENTENCES + "- `pytest`: again.\n", "`pytest` has 2 sentences"),
    ],
)
def test_sentences_and_dependencies_are_the_same_set(tree, page, complaint):
    root = tree({"pyproject.toml": PYPROJECT, "docs/dependencies.md": page})
    assert complaint in "".join(docs_check.dependencies_have_their_sentence(root))


ENGLISH = "# A\n\n## Run it\n\n" + fenced("make up   # starts it", "sh")
CHINESE = "# 甲\n\n## 运行\n\n" + fenced("make up   # 启动", "sh")


@pytest.mark.parametrize(
    ("english", "chinese", "complaint"),
    [
        (ENGLISH, CHINESE, ""),
        (ENGLISH, CHINESE.replace("## 运行", "### 运行"), "headings of levels"),
        (ENGLISH, CHINESE.replace("make up", "make down"), "make down"),
        (ENGLISH, CHINESE + fenced("make test", "sh"), "1 blocks"),
    ],
)
def test_readmes_say_the_same_in_both_languages(tree, english, chinese, complaint):
    found = "".join(docs_check.readmes_are_in_step(tree({"README.md": english, "README.zh-CN.md": chinese})))
    assert complaint in found
    assert bool(found) is bool(complaint)


def test_an_absent_readme_is_named(tree):
    assert list(docs_check.readmes_are_in_step(tree({"README.md": ENGLISH}))) == ["README.zh-CN.md is absent"]


def test_a_link_within_the_repository_leads_somewhere(tree):
    page = "[a](b.md#part) [web](https://example.org/x) [gone](c.md)\n" + fenced("[x](not-a-link)", "text")
    root = tree({"docs/a.md": page, "docs/b.md": "# B\n"})
    assert list(docs_check.links_lead_somewhere(root)) == ["docs/a.md: there is no c.md"]


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["0001-four-dialects.md", "0002-money.md"], ""),
        (["1-money.md"], "NNNN-title"),
        (["0001-Money.md"], "NNNN-title"),
        (["0001-a.md", "0001-b.md"], "2 records have the number 0001"),
    ],
)
def test_decisions_are_numbered(tree, names, complaint):
    root = tree({f"docs/decisions/{name}": "" for name in names})
    assert complaint in "".join(docs_check.decisions_are_numbered(root))
    assert bool(complaint) is bool(list(docs_check.decisions_are_numbered(root)))


@pytest.mark.parametrize(
    ("name", "accepted"), [("house.added.md", True), ("house.md", False), ("house.nice.md", False)]
)
def test_a_changelog_fragment_names_its_kind(tree, name, accepted):
    assert (list(docs_check.fragments_have_a_kind(tree({f"changelog.d/{name}": ""}))) == []) is accepted
