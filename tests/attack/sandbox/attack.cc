// ./dev attack sandbox: attempts to get out of the sandbox, to hold it up or to bring it down, at each level
// that the machine has, as root (where it is) and as an ordinary user. Native attempts run in the place of
// the program in the sandbox (escape.cc), JavaScript in the program itself (scripts.cc), Python in its own
// (python_scripts.cc), Monty's in Monty (monty_scripts.cc). After each the broker of the neighbour still
// answers. The last line is "N passed, N failed".

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>

#include "broker/broker.h"
#include "os/clock.h"
#include "scripts.h"

namespace holdfast::sandbox {

namespace {

// What a call may take at the most, on a machine that does other things as well.
constexpr auto kMostTime = std::chrono::seconds(60);
// How long the broker bears with an attempt that never ends; with the others as long as always.
constexpr auto kShortGrace = std::chrono::seconds(5);

bool never_ends(const std::string& name) {
  return name.find("for ever") != std::string::npos;
}

constexpr uid_t kNobody = 65534;

class Suite {
 public:
  Suite(int level, std::string who, std::string monty)
      : level_(level), who_(std::move(who)), monty_(std::move(monty)) {}

  void run(std::string_view escape) {
    auto neighbour = Broker::start({.level = level_, .monty = monty_}, memory_, clock_);
    if (!neighbour) {
      fmt::print("skip  {} level {}: {}\n", who_, level_, neighbour.error().message());
      return;
    }
    ran_ = true;
    neighbour_ = std::move(*neighbour);
    for (const Script& script : scripts()) play(script, *neighbour_);
    play_python();
    play_monty();
    auto taken_over = Broker::start({.level = level_, .program = escape}, memory_, clock_);
    auto hasty = Broker::start({.level = level_, .grace = kShortGrace, .program = escape}, memory_, clock_);
    if (!taken_over || !hasty) return count(false, "start", "the native attempts do not start");
    Request request;
    request.code = "?";
    const auto names = (*taken_over)->run("list", request);
    if (!names) return count(false, "list of the native attempts", names.error().message());
    std::istringstream lines(names->log);
    for (std::string name; std::getline(lines, name);)
      attempt(never_ends(name) ? **hasty : **taken_over, name);
    count(memory_.used() == 0, "memory is given back", fmt::format("{} bytes are held", memory_.used()));
  }

  bool ran() const { return ran_; }
  int passed() const { return passed_; }
  int failed() const { return failed_; }

 private:
  static std::string told(const Result<Reply>& reply) {
    if (!reply) return reply.error().to_string();
    return reply->failure ? std::string(fault_name(reply->failure->fault)) : reply->result;
  }

  void play_python() {
    if (auto found = find_python(); !found) {
      fmt::print("skip  {} level {}: Python: {}\n", who_, level_, found.error().message());
      return;
    }
    auto hasty = Broker::start({.level = level_, .grace = kShortGrace}, memory_, clock_);
    if (!hasty) return count(false, "start", "Python's broker does not start");
    for (const Script& script : python_scripts()) {
      play(script, never_ends(script.name) ? **hasty : *neighbour_);
      Request request;
      request.kind = Kind::kPython;
      request.limits = kPythonLimits;
      request.code = "return 6 * 7";
      const std::string after = told(neighbour_->run("neighbour", request));
      if (after != "42") count(false, script.name, "the neighbour in Python is told " + after);
    }
  }

  void play_monty() {
    for (const Script& script : monty_scripts()) {
      play(script, *neighbour_);
      Request request;
      request.kind = Kind::kMonty;
      request.limits = kPythonLimits;
      request.code = "return 6 * 7";
      const std::string after = told(neighbour_->run("neighbour", request));
      if (after != "42") count(false, script.name, "the neighbour in Monty is told " + after);
    }
  }

  void play(const Script& script, Broker& broker) {
    const MonotonicTime begin = clock_.monotonic();
    const auto reply = broker.run("attacker", script.request);
    const std::string end = told(reply);
    const bool expected = std::ranges::find(script.ends, end) != script.ends.end();
    conclude(expected, script.name, reply && reply->failure ? end + ": " + reply->failure->message : end,
             begin);
  }

  void attempt(Broker& broker, const std::string& name) {
    const MonotonicTime begin = clock_.monotonic();
    Request request;
    request.code = name;
    const auto reply = broker.run("attacker", request);
    const std::string end = reply && reply->failure ? reply->failure->message : told(reply);
    // Only for those that aim at it an end by the broker's clock is a good one.
    const bool too_long = end.starts_with("the sandbox did not answer");
    conclude(told(reply) == "\"refused\"" || (told(reply) == "sandbox_died" && too_long == never_ends(name)),
             name, end, begin);
  }

  void conclude(bool good, const std::string& name, const std::string& end, MonotonicTime begin) {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.monotonic() - begin);
    Request request;
    request.code = "6 * 7";
    const std::string after = told(neighbour_->run("neighbour", request));
    if (after != "42") return count(false, name, "the neighbour is told " + after);
    if (took > kMostTime) return count(false, name, fmt::format("it took {} ms", took.count()));
    count(good, name, fmt::format("{} ({} ms)", end.substr(0, 120), took.count()));
  }

  void count(bool good, const std::string& name, const std::string& end) {
    (good ? passed_ : failed_) += 1;
    fmt::print("{}  {} level {}: {}: {}\n", good ? "ok  " : "FAIL", who_, level_, name, end);
  }

  const int level_;
  const std::string who_;
  const std::string monty_;  // the program
  const os::SystemClock clock_;
  MemoryBudget memory_{"sandbox", std::size_t{512} << 20};
  std::unique_ptr<Broker> neighbour_;
  bool ran_ = false;
  int passed_ = 0;
  int failed_ = 0;
};

// Monty where everybody may run it, also nobody, who may not enter the folder of the build.
std::string monty_for_all() {
  const std::filesystem::path folder = "/tmp/holdfast-attack-" + std::to_string(::getpid());
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::filesystem::copy_file(HOLDFAST_TEST_MONTY, folder / "monty", error);
  if (!error) return (folder / "monty").string();
  fmt::print("FAIL  {}: {}; tools/venv.sh makes it\n", HOLDFAST_TEST_MONTY, error.message());
  return {};
}

std::string bytes_of(int file) {
  std::string bytes;
  char piece[64 * 1024];
  ::lseek(file, 0, SEEK_SET);
  for (ssize_t got = 0; (got = ::read(file, piece, sizeof piece)) > 0;)
    bytes.append(piece, static_cast<std::size_t>(got));
  return bytes;
}

// The same again as nobody, in a process of its own; its counts come through a pipe. Both programs are opened
// before, because nobody may not enter the folder in which they are.
bool again_as_user(int escape, const std::string& monty, int& passed, int& failed) {
  int ends[2];
  const int self = ::open("/proc/self/exe", O_RDONLY);
  if (self < 0 || ::pipe(ends) != 0) return false;
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    if (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
        ::setresuid(kNobody, kNobody, kNobody) != 0)
      ::_exit(3);
    std::string words[] = {"sandbox_attack", std::to_string(ends[1]), std::to_string(escape), monty};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
    char* environment[] = {nullptr};
    ::syscall(SYS_execveat, self, "", arguments, environment, AT_EMPTY_PATH);
    ::_exit(4);
  }
  ::close(ends[1]);
  ::close(self);
  int counts[2] = {0, 0};
  const bool whole = ::read(ends[0], counts, sizeof counts) == sizeof counts;
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  passed += counts[0];
  failed += counts[1];
  return whole;
}

}  // namespace

int attack(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const bool again = argc == 4;
  const int escape_file = again ? std::atoi(argv[2]) : ::open(HOLDFAST_ESCAPE, O_RDONLY);
  const std::string escape = bytes_of(escape_file);
  const std::string who = ::geteuid() == 0 ? "root" : "user";
  const std::string monty = again ? argv[3] : monty_for_all();
  int passed = 0;
  int failed = 0;
  bool any = false;
  for (const int level : {1, 2}) {
    Suite suite(level, who, monty);
    suite.run(escape);
    any = any || suite.ran();
    passed += suite.passed();
    failed += suite.failed();
  }
  if (!any) {
    fmt::print("FAIL  {}: this machine has no sandbox at all\n", who);
    ++failed;
  }
  if (again) {
    const int counts[2] = {passed, failed};
    return ::write(std::atoi(argv[1]), counts, sizeof counts) == sizeof counts ? 0 : 1;
  }
  if (who == "root" && !again_as_user(escape_file, monty, passed, failed)) {
    fmt::print("FAIL  user: the suite does not run as nobody\n");
    ++failed;
  }
  std::error_code error;
  if (!monty.empty()) std::filesystem::remove_all(std::filesystem::path(monty).parent_path(), error);
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace holdfast::sandbox

int main(int argc, char** argv) {
  return holdfast::sandbox::attack(argc, argv);
}
