#include "base/transition.h"

namespace holdfast {
namespace {

// Filled before main() by the constructors of the tables, read by tests.
constinit const TransitionTableBase* newest_table = nullptr;

}  // namespace

TransitionTableBase::TransitionTableBase(const char* name) : name_(name), next_(newest_table) {
  newest_table = this;
}

std::vector<std::string> unvisited_transitions() {
  std::vector<std::string> out;
  for (const auto* table = newest_table; table != nullptr; table = table->next_) table->add_unvisited(&out);
  return out;
}

}  // namespace holdfast
