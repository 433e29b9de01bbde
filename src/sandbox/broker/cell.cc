#include "broker/cell.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "os/spawn.h"
#include "python/runner.h"
#include "wire/control.h"

namespace holdfast::sandbox {

namespace {

// Of the first process, on a machine that is busy.
constexpr int kPatienceMs = 10'000;
constexpr const char* kPackages = "/packages";
constexpr const char* kMonty = "/monty";
constexpr const char* kProgramFile = "3";  // where the program is open in what is started

class File {
 public:
  explicit File(int file) : file_(file) {}
  ~File() {
    if (file_ >= 0) ::close(file_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return file_; }
  int release() { return std::exchange(file_, -1); }

 private:
  int file_;
};

// With a place of its own to read from, as bubblewrap does.
int opened_again(int file) {
  return ::open(fmt::format("/proc/self/fd/{}", file).c_str(), O_RDONLY | O_CLOEXEC);
}

using Words = std::vector<std::string>;

void append(Words& to, const Words& more) {
  to.insert(to.end(), more.begin(), more.end());
}

// What is read of the machine, as it is there.
void show(const std::vector<std::string>& readable, Words& out) {
  for (const std::string& path : readable) {
    std::error_code error;
    const auto link = std::filesystem::read_symlink(path, error);
    if (error) {
      append(out, {"--ro-bind", path, path});
    } else {
      append(out, {"--symlink", link.string(), path});
    }
  }
}

// Each worker of Python mounts its own /tmp, for which the first process keeps one capability, in its own
// namespace of users.
Words mounts(const Runs& runs) {
  Words out;
  if (runs.python != nullptr) {
    out = {"--cap-add", "CAP_SYS_ADMIN", "--dir", "/tmp"};
    show(runs.python->readable, out);
    if (!runs.python->packages.empty()) append(out, {"--ro-bind", runs.python->packages, kPackages});
  } else if (runs.monty != nullptr) {
    show(runs.monty->readable, out);
    append(out, {"--ro-bind", runs.monty->program, kMonty});
  }
  return out;
}

// Of the program. At level 1 some things are at a place of their own: theirs may be covered by what is
// mounted.
Words arguments(int level, const Runs& runs) {
  if (runs.python != nullptr) {
    const PythonInstallation& python = *runs.python;
    const std::string packages = python.packages.empty() || level == 2 ? python.packages : kPackages;
    Words out = {"python", std::to_string(level), python.interpreter, std::string(python_runner()), packages};
    append(out, python.readable);
    if (!packages.empty()) out.push_back(packages);
    return out;
  }
  if (runs.monty == nullptr) return {std::to_string(level)};
  const std::string program = level == 2 ? runs.monty->program : kMonty;
  Words out = {"monty", std::to_string(level), program};
  append(out, runs.monty->readable);
  out.push_back(program);
  return out;
}

Words command(int level, const std::string& bubblewrap, const Runs& runs) {
  if (level == 2) {
    Words out = {std::string("/proc/self/fd/") + kProgramFile};
    append(out, arguments(level, runs));
    return out;
  }
  Words out = {bubblewrap, "--unshare-all", "--unshare-user", "--uid",   "65534",
               "--gid",    "65534",         "--hostname",     "sandbox", "--cap-drop",
               "ALL",      "--new-session", "--as-pid-1"};
  append(out, mounts(runs));
  append(out, {"--perms", "0555", "--ro-bind-data", kProgramFile, "/holdfast-sandbox", "--remount-ro", "/",
               "--chdir", "/", "--", "/holdfast-sandbox"});
  append(out, arguments(level, runs));
  return out;
}

Ended ending(int status) {
  if (WIFEXITED(status))
    return {fmt::format("ended by itself, with code {}", WEXITSTATUS(status)), 0, WEXITSTATUS(status)};
  const int signal = WTERMSIG(status);
  switch (signal) {
    case SIGSYS: return {"made a system call that it may not make", signal};
    case SIGKILL: return {"was killed", signal};
    case SIGSEGV: return {"accessed memory that it does not have", signal};
    default: return {fmt::format("was ended by signal {}", signal), signal};
  }
}

}  // namespace

int sealed_program(std::string_view program) {
  constexpr unsigned kExecutable = 0x10;  // MFD_EXEC, of newer kernels
  int file = ::memfd_create("holdfast-sandbox", MFD_CLOEXEC | MFD_ALLOW_SEALING | kExecutable);
  if (file < 0 && errno == EINVAL) file = ::memfd_create("holdfast-sandbox", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return -1;
  while (!program.empty()) {
    const ssize_t put = ::write(file, program.data(), program.size());
    if (put <= 0) break;
    program.remove_prefix(static_cast<std::size_t>(put));
  }
  const bool whole =
      program.empty() &&
      ::fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
  if (whole) return file;
  ::close(file);
  return -1;
}

Result<std::unique_ptr<Cell>> Cell::start(int level, int program, const std::string& bubblewrap,
                                          const Runs& runs) {
  if (level == 1 && ::access(bubblewrap.c_str(), X_OK) != 0)
    return fail(Code::kUnavailable, fmt::format("{} is not there; install bubblewrap", bubblewrap));
  int control[2];
  int errors[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0)
    return fail(Code::kUnavailable, std::strerror(errno));
  File ours(control[0]);
  if (::pipe2(errors, O_CLOEXEC | O_NONBLOCK) != 0) {
    ::close(control[1]);
    return fail(Code::kUnavailable, std::strerror(errno));
  }
  File complaints(errors[0]);
  pid_t pid = 0;
  int error = 0;
  {
    // Closed before anything is heard, so that the end of what was started is the end of the socket.
    const File theirs(control[1]);
    const File their_errors(errors[1]);
    const File bytes(opened_again(program));
    const File null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    std::vector<int> files = {theirs.get(), their_errors.get(), their_errors.get(), bytes.get()};
    if (runs.python != nullptr || runs.monty != nullptr) files.push_back(null.get());
    error = bytes.get() < 0 || null.get() < 0
                ? EMFILE
                : os::spawn({command(level, bubblewrap, runs), {}, std::move(files)}, pid);
  }
  if (error != 0)
    return fail(Code::kUnavailable, fmt::format("its program does not start: {}", std::strerror(error)));
  auto cell = std::unique_ptr<Cell>(new Cell(level, pid, ours.release(), complaints.release()));
  if (Status status = cell->hear_hello(); !status.ok()) return fail(std::move(status));
  return cell;
}

Cell::~Cell() {
  ::close(control_);  // which the first process takes for its end
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  pollfd ended{process, POLLIN, 0};
  if (process < 0 || ::poll(&ended, 1, kPatienceMs) <= 0) ::kill(-pid_, SIGKILL);
  if (process >= 0) ::close(process);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  ::close(errors_);
}

std::string Cell::last_words() {
  char words[1024];
  pollfd file{errors_, POLLIN, 0};
  ::poll(&file, 1, 100);
  const ssize_t got = ::read(errors_, words, sizeof words);
  std::string text(words, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "it ended without a word" : text;
}

Status Cell::hear_hello() {
  Hello hello;
  pollfd file{control_, POLLIN, 0};
  if (::poll(&file, 1, kPatienceMs) <= 0) return {Code::kUnavailable, "its first process says nothing"};
  const ssize_t got = ::recv(control_, &hello, sizeof hello, 0);
  if (got <= 0) return {Code::kUnavailable, last_words()};
  if (got != sizeof hello || hello.mark != kHelloMark)
    return {Code::kUnavailable, "its first process is another version"};
  landlock_ = static_cast<int>(hello.landlock);
  hello.why[sizeof hello.why - 1] = '\0';
  if (hello.ready != 1) return {Code::kUnavailable, hello.why};
  return {};
}

// Some are asked for before anybody needs them, behind a call (`settle`): who does waits for no answer of the
// first process, and it makes none while his own is at work.
Result<Worker> Cell::make_worker() {
  const std::lock_guard lock(talk_);
  take_asked(spares_.empty() ? 1 : 0);
  if (!spares_.empty() && has_ended()) {  // they end with it, if they have not yet
    spares_.clear();
    return fail(Code::kUnavailable, "the sandbox's first process has ended");
  }
  while (!spares_.empty()) {
    Worker worker = std::move(spares_.front());
    spares_.pop_front();
    if (worker.quiet()) return worker;
    end_without_waiting(worker);  // it has ended since
  }
  take_asked(asked_);
  if (spares_.empty()) {
    ask_for_one();
    return hear_of_one();
  }
  Worker worker = std::move(spares_.front());
  spares_.pop_front();
  return worker;
}

void Cell::settle() {
  const std::lock_guard lock(talk_);
  take_asked(0);
  for (std::size_t ahead = spares_.size() + asked_; ahead < kSpares; ++ahead) ask_for_one();
  end_forgotten();
}

// What is on its way is an answer and no end.
bool Cell::has_ended() const {
  char byte = 0;
  return ::recv(control_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

bool Cell::is_answered() const {
  char byte = 0;
  return ::recv(control_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void Cell::ask_for_one() {
  const Ask ask{Ask::kNew, 0};
  if (::send(control_, &ask, sizeof ask, MSG_NOSIGNAL) == sizeof ask) ++asked_;
}

// Answers come in the order of the questions. One that could not be made is asked for again.
void Cell::take_asked(std::size_t at_least) {
  for (std::size_t heard = 0; asked_ > 0 && (heard < at_least || is_answered()); ++heard) {
    if (auto made = hear_of_one()) spares_.push_back(std::move(*made));
  }
}

Result<Worker> Cell::hear_of_one() {
  const bool was_asked = asked_ > 0;
  if (was_asked) --asked_;
  Answer answer;
  iovec bytes{&answer, sizeof answer};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  if (!was_asked || ::recvmsg(control_, &message, MSG_CMSG_CLOEXEC) != sizeof answer)
    return fail(Code::kUnavailable, "the sandbox's first process has ended");
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (answer.pid <= 0 || head == nullptr || head->cmsg_type != SCM_RIGHTS)
    return fail(Code::kResourceExhausted, fmt::format("the sandbox makes no process: {}",
                                                      std::strerror(answer.pid < 0 ? -answer.pid : EIO)));
  int socket = -1;
  std::memcpy(&socket, CMSG_DATA(head), sizeof socket);
  return Worker(answer.pid, socket);
}

// If it does not arrive, the whole cell has ended.
void Cell::end_without_waiting(const Worker& worker) const {
  const Ask ask{Ask::kForget, worker.pid()};
  (void)::send(control_, &ask, sizeof ask, MSG_NOSIGNAL);
}

void Cell::end_forgotten() {
  if (to_forget_) end_without_waiting(*to_forget_);
  to_forget_.reset();
}

Ended Cell::end_worker(Worker worker) {
  const std::lock_guard lock(talk_);
  take_asked(asked_);
  const Ask ask{Ask::kEnd, worker.pid()};
  Answer answer;
  if (::send(control_, &ask, sizeof ask, MSG_NOSIGNAL) != sizeof ask ||
      ::recv(control_, &answer, sizeof answer, 0) != sizeof answer || answer.pid <= 0)
    return {"ended with the whole sandbox", 0};
  return ending(answer.status);
}

void Cell::forget_worker(Worker worker) {
  const std::lock_guard lock(talk_);
  end_without_waiting(worker);
}

// Its socket stays open until then: who waits on it would end by itself.
void Cell::forget_worker_later(Worker worker) {
  const std::lock_guard lock(talk_);
  end_forgotten();
  to_forget_ = std::move(worker);
}

}  // namespace holdfast::sandbox
