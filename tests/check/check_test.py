"""check_test.py TOOLS: what `./dev check` would say of commits, files and functions that are right and wrong."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, sys.argv.pop(1))
import commits  # noqa: E402
import coverage  # noqa: E402
import functions  # noqa: E402
import tidy  # noqa: E402

CPP = """
namespace holdfast {
template <typename T, typename = std::enable_if_t<(sizeof(T) > 1)>>
class Table : public Base<decltype(f())> {
 public:
  explicit Table(int size)
      : size_(size),
        rows_{size} {
    grow();
  }
  bool operator==(const Table& other) const { return size_ == other.size_; }
  bool operator()(int a,
                  int b) const {
    return a < b;
  }
  static constexpr int kSizes[] = {
      1,
      2,
  };
};

[[nodiscard]] HOLDFAST_PUBLIC Status run() {
  const char* text = R"({
}
)";
  auto later = [&] {
    if (text) {
      go('{', 1'000);  // {
    }
  };
  return later();
}

#define LOOP(x) \\
  for (;;) {    \\
  }
const auto kTable = make({
    1,
});
TEST_F(A, B) {
  run();
}
}  // namespace holdfast
"""


class Functions(unittest.TestCase):
    def test_cpp(self):
        self.assertEqual([tuple(f) for f in functions.cpp_functions(CPP)],
                         [("Table", 6, 5), ("operator()", 12, 4), ("run", 22, 11), ("TEST_F", 40, 3)])

    def test_python(self):
        text = "def a():\n  def b():\n    pass\n  return b\n\n\nclass C:\n  async def d(self):\n    pass\n"
        self.assertEqual({tuple(f) for f in functions.python_functions(text)}, {("a", 1, 4), ("b", 2, 2), ("d", 8, 2)})


class Files(unittest.TestCase):
    @staticmethod
    def function(lines: int) -> list[str]:
        return ["void f() {", *["  g();"] * (lines - 2), "}"]

    def test_functions_have_70_lines_at_most(self):
        self.assertEqual(tidy.check_code("src/a.cc", self.function(70)), [])
        self.assertEqual(tidy.check_code("src/a.cc", self.function(71)), ["src/a.cc:1: f has 71 lines, 70 at most"])

    def test_files_have_600_lines_at_most_and_tests_1000(self):
        self.assertEqual(tidy.check_code("src/a.cc", ["int x;"] * 600), [])
        self.assertIn("src/a.cc:1: 601 lines, 600 at most", tidy.check_code("src/a.cc", ["int x;"] * 601)[0])
        self.assertEqual(tidy.check_code("src/a_test.cc", ["int x;"] * 1000), [])
        self.assertIn("1001 lines, 1000 at most", tidy.check_code("src/a_test.cc", ["int x;"] * 1001)[0])

    def test_clocks_come_from_outside(self):
        line = ["auto now = std::chrono::steady_clock::now();"]
        self.assertIn("take a Clock", tidy.check_code("src/engine/core/a.cc", line)[0])
        self.assertEqual(tidy.check_code("src/base/os/clock.cc", line), [])


class Coverage(unittest.TestCase):
    def test_a_command_that_ran_no_test_shows_nothing(self):
        self.assertEqual(coverage.shows("echo '[==========] 10 tests from 1 test suite ran. (0 ms total)'"), "")
        for said in ("[==========] 0 tests from 0 test suites ran. (0 ms total)", "No tests were found!!!"):
            self.assertIn(said, coverage.shows(f"echo '{said}'"))
        self.assertIn("gone", coverage.shows("echo gone; false"))
        self.assertIn("ends with 1", coverage.shows("false"))

    def test_a_row_has_one_command(self):
        self.assertTrue(coverage.ROW.match("| E1 | it goes on | `api test_a.py -k 'b or c'` |"))
        self.assertFalse(coverage.ROW.match("| E1 | it goes on | `api test_a.py`, `api test_b.py` |"))


class Links(unittest.TestCase):
    def test_a_link_leads_to_a_page_and_to_its_heading(self):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder) / "a.md"
            page.write_text("# The `a` of [b](c)\n\n```sh\n# no heading\n```\n")
            self.assertEqual(tidy.check_links(str(page), ["[x](a.md#the-a-of-b)", "[x](#the-a-of-b)", "[x](https://a.example/#b)"]), [])
            self.assertIn("has no heading #no-heading", tidy.check_links(str(page), ["[x](a.md#no-heading)"])[0])
            self.assertIn("dead link b.md", tidy.check_links(str(page), ["[x](b.md#c)"])[0])

    def test_the_readme_leads_to_every_page_of_the_guide(self):
        pages = ["docs/guide/a.md", "docs/guide/b.md"]
        self.assertEqual(tidy.check_guide("[a](docs/guide/a.md#c), [b](docs/guide/b.md)", pages), [])
        self.assertEqual(tidy.check_guide("[a](docs/guide/a.md)", pages), ["docs/guide/b.md:1: README.md does not lead to it"])


class Commits(unittest.TestCase):
    @staticmethod
    def said(subject="area: what changes", body="", files=()) -> list[str]:
        return commits.check(commits.Commit("0123456789abcdef", subject, body, list(files)))

    def test_subjects(self):
        self.assertEqual(self.said("net: " + "x" * 55), [])
        self.assertIn("61 characters, 60 at most", self.said("net: " + "x" * 56)[0])
        self.assertEqual(self.said("base, net: bodies draw on a budget"), [])
        for subject in ("Fix things", "net:no space", "net fix", ": nothing"):
            self.assertIn("is not `area: what changes`", self.said(subject)[0], subject)

    def test_a_commit_that_changes_much_says_why(self):
        self.assertEqual(self.said(files=[("a.cc", 99)]), [])
        self.assertIn("120 lines change and no body says why", self.said(files=[("a.cc", 60), ("b.h", 60)])[0])
        self.assertEqual(self.said(body="Because.", files=[("a.cc", 500)]), [])
        self.assertEqual(self.said(files=[("docs/guide/a.md", 500), ("tests/golden/a.json", 9000)]), [])

    def test_what_git_says_is_read(self):
        here = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                self.make_history(pathlib.Path(folder))
                self.assertEqual(commits.unlanded(), ["-10"])
                found = [line for commit in commits.read(commits.unlanded()) for line in commits.check(commit)]
                subprocess.run(["git", "update-ref", "refs/remotes/origin/main", "HEAD~1"], check=True)
                self.assertEqual(commits.unlanded(), ["origin/main..HEAD"])
                moved = commits.read(commits.unlanded())
            finally:
                os.chdir(here)
        self.assertEqual(len(found), 1, found)
        self.assertIn("first: many lines: 150 lines change", found[0])
        self.assertEqual([(c.subject, c.body.strip()) for c in moved], [("second: only a move", "Why.")])
        self.assertEqual(sum(lines for _, lines in moved[0].files), 0)

    @staticmethod
    def make_history(folder: pathlib.Path) -> None:
        git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]

        def commit(*words: str) -> None:
            subprocess.run([*git, "add", "-A"], check=True)
            subprocess.run([*git, "commit", "-q", *words], check=True)

        subprocess.run([*git, "init", "-q"], check=True)
        (folder / "a.cc").write_text("".join(f"int x{i};\n" for i in range(150)))
        commit("-m", "first: many lines")
        (folder / "b").mkdir()
        (folder / "a.cc").rename(folder / "b/a.cc")
        commit("-m", "second: only a move", "-m", "Why.")


if __name__ == "__main__":
    unittest.main()
