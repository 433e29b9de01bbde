#include "app/hidden_input.h"

#include <termios.h>
#include <unistd.h>

#include <iostream>

#include "app/output.h"

namespace holdfast::app {

bool is_terminal() {
  return ::isatty(STDIN_FILENO) == 1;
}

std::string read_hidden_line(std::string_view prompt) {
  termios shown{};
  const bool terminal = ::tcgetattr(STDIN_FILENO, &shown) == 0;
  termios hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  if (terminal) {
    print_progress(std::string(prompt));
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
  }
  std::string out;
  std::getline(std::cin, out);
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    print_progress("\n");
  }
  while (!out.empty() && (out.back() == '\n' || out.back() == '\r')) out.pop_back();
  return out;
}

}  // namespace holdfast::app
