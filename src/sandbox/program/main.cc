// The program in the sandbox: `1` or `2`, the level at which it is started, and the control socket as
// standard input. The first process makes workers; a worker evaluates one request after the other, each on an
// isolate that nothing was run on. `python 1|2 INTERPRETER RUNNER PACKAGES PATH...`: it becomes Python
// instead. `monty 1|2 PROGRAM PATH...`: its workers become Monty.

#include <malloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jail/first_process.h"
#include "jail/monty_jail.h"
#include "jail/python_jail.h"
#include "script/evaluate.h"
#include "wire/frame.h"

// The linker's: where the program begins and ends.
extern "C" const char __executable_start;
extern "C" const char _end;

namespace holdfast::sandbox {

namespace {

// What is said when the timer goes off: made before, because a handler of signals may make nothing.
char last_words[256];
std::size_t last_words_size = 0;
int last_words_to = -1;

std::int64_t processor_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// The engine looks at its clock between instructions; inside one it may be long (sorting, multiplying). So
// there is a timer, too, at some more than the limit, after which the process says so and ends.
void end_by_timer(int) {
  (void)!::write(last_words_to, last_words, last_words_size);
  ::_exit(0);
}

void set_timer(std::int64_t microseconds) {
  const itimerval timer{{}, {microseconds / 1'000'000, microseconds % 1'000'000}};
  ::setitimer(ITIMER_PROF, &timer, nullptr);
}

void arm(const Request& request) {
  Reply reply;
  reply.failure = {Fault::kTime, "InternalError",
                   "it ran longer than " + std::to_string(request.limits.time_ms) + " ms"};
  reply.last = true;
  const std::string words = frame(encode(reply));
  last_words_size = words.copy(last_words, sizeof last_words);
  // Reading the inputs, 10 bytes a microsecond at the least, is not the code's doing.
  set_timer(std::int64_t{request.limits.time_ms} * 1500 + 20'000 +
            static_cast<std::int64_t>(request.inputs.size() / 10));
}

// What the next request is evaluated on. The first one of all workers is made once, in the first process,
// whose forks share its memory until they write to it; nothing was run on it. A process that ends does not
// take it apart.
std::unique_ptr<Isolate> isolate;

std::uintptr_t heap_begin = 0;
// Between what a process allocates and what it has.
constexpr std::size_t kSpareHeapBytes = 32 << 10;
constexpr std::size_t kTouchedStackBytes = 16 << 10;

std::uintptr_t heap_end() {
  return reinterpret_cast<std::uintptr_t>(::sbrk(0));
}

// What the engine and the C library set up when they are first used is there, too, before any worker is.
void make_ahead() {
  heap_begin = heap_end();
  isolate = std::make_unique<Isolate>(processor_time);
  Request request;
  request.code = "[1, 2.5].map(n => n + `${n}`)";
  request.inputs = R"({"input":{"text":"","number":1.5}})";
  Isolate other(processor_time);
  (void)encode(evaluate(other, request));
}

// A page that a fork has not touched costs a fault, and one that it writes to a copy; eighty of them are a
// third of a first evaluation. So they are taken before anybody waits. A kernel that does not know this says
// so, and they come one by one.
void populate(std::uintptr_t begin, std::uintptr_t end, int how) {
  constexpr std::uintptr_t kPage = 4096;
  begin -= begin % kPage;
  (void)::madvise(reinterpret_cast<void*>(begin), end - begin, how);  // NOLINT(performance-no-int-to-ptr)
}

void touch_pages() {
  populate(reinterpret_cast<std::uintptr_t>(&__executable_start), reinterpret_cast<std::uintptr_t>(&_end),
           MADV_POPULATE_READ);
  populate(heap_begin, heap_end(), MADV_POPULATE_WRITE);
  const auto stack = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  populate(stack - kTouchedStackBytes, stack, MADV_POPULATE_WRITE);
}

void renew() {
  isolate.reset();
  isolate = std::make_unique<Isolate>(processor_time);
}

// What an idle process may keep of what it evaluated last.
constexpr std::size_t kMostKeptBytes = 1U << 20;

void serve(int socket) {
  last_words_to = socket;
  touch_pages();
  bool is_first = true;
  bool is_used = false;
  for (std::string bytes; read_frame(socket, bytes); is_first = false) {
    const auto request = decode_request(bytes);
    if (!request) return;
    if (is_used) renew();
    arm(*request);
    const Reply reply = evaluate(*isolate, *request);
    set_timer(0);
    if (!write_frame(socket, encode(reply))) return;
    // Many ask once, and their process ends. For who asks again, the next one is ready before that.
    is_used = is_first && isolate->memory_bytes() <= kMostKeptBytes;
    if (!is_used) renew();
  }
}

Level level_of(std::string_view word) {
  return word == "1" ? Level::kNamespaces : Level::kLandlock;
}

}  // namespace

}  // namespace holdfast::sandbox

int main(int argc, char** argv) {
  using namespace holdfast::sandbox;
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  const bool is_python = words.size() >= 5 && words[0] == "python";
  const bool is_monty = words.size() >= 3 && words[0] == "monty";
  const std::string_view level = is_python || is_monty ? words[1] : words.size() == 1 ? words[0] : "";
  if (level != "1" && level != "2") return 2;
  if (is_monty) {
    return first_monty({level_of(level), std::string(words[2]), std::span(words).subspan(3)}, STDIN_FILENO);
  }
  if (is_python) {
    return become_python({level_of(level), std::string(words[2]), std::string(words[3]),
                          std::string(words[4]), std::span(words).subspan(5)});
  }
  // The time zone is UTC. The C library reads it from a file when it is asked first, which nothing may open
  // then.
  ::setenv("TZ", "UTC0", 1);
  ::tzset();
  struct sigaction action{};
  action.sa_handler = end_by_timer;
  ::sigaction(SIGPROF, &action, nullptr);
  make_ahead();
  ::malloc_trim(kSpareHeapBytes);
  return first_process(level_of(level), STDIN_FILENO, serve);
}
