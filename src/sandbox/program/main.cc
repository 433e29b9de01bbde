// The program in the sandbox: `1` or `2`, the level at which it is started, and the control socket as
// standard input. The first process makes workers; a worker evaluates one request after the other, each on an
// isolate that nothing was run on. `python 1|2 INTERPRETER RUNNER PACKAGES PATH...`: it becomes Python
// instead. `monty 1|2 PROGRAM PATH...`: its workers become Monty.

#include <signal.h>
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

void serve(int socket) {
  last_words_to = socket;
  auto isolate = std::make_unique<Isolate>(processor_time);
  for (std::string bytes; read_frame(socket, bytes);) {
    const auto request = decode_request(bytes);
    if (!request) return;
    arm(*request);
    const Reply reply = evaluate(*isolate, *request);
    set_timer(0);
    if (!write_frame(socket, encode(reply))) return;
    // The next one is ready before it is asked for.
    isolate.reset();
    isolate = std::make_unique<Isolate>(processor_time);
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
  return first_process(level_of(level), STDIN_FILENO, serve);
}
