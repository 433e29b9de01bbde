#pragma once

// What the commands about agents share: moving a label as it was seen, and saying so. A failure is printed
// where it happens and comes back as the exit code.

#include <expected>
#include <string>

#include "app/api_session.h"

namespace holdfast::app {

struct LabelTarget {
  std::string agent;
  std::string label;
  Json body;            // {"version"} or {"from"}, or neither for a rollback
  std::string expect;   // the beginning of the version that it must name now; empty: any
  std::string by;       // empty: the user
  std::string comment;  // may be empty
  bool rollback = false;
};

// Looks where the label is, and moves it from there and from nowhere else.
ApiSession::Reply move_label(ApiSession& api, const LabelTarget& target);

// "refund@production  3fa9c1...  was 77ab02...".
void print_move(const Json& moved);

}  // namespace holdfast::app
