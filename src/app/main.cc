#include <malloc.h>

#include <csignal>

#include "app/cli.h"

int main(int argc, char** argv) {
  // Two heaps for all threads: an idle server stays small.
  mallopt(M_ARENA_MAX, 2);
  std::signal(SIGPIPE, SIG_IGN);
  return holdfast::app::run_command_line(argc, argv);
}
