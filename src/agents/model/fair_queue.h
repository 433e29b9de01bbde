#pragma once

// FairQueue: those who wait, one line for each agent, served in turn: however long one agent's line is, the
// first in another's is not behind all of it. Within a line who came first is first. Holds pointers; whoever
// waits takes itself out. Not thread-safe.

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <string>

namespace holdfast::model {

template <typename T>
class FairQueue {
 public:
  bool empty() const { return turns_.empty(); }
  std::size_t size() const {
    std::size_t out = 0;
    for (const auto& [name, line] : lines_) out += line.size();
    return out;
  }

  void push(const std::string& agent, T* waiter) {
    std::deque<T*>& line = lines_[agent];
    if (line.empty()) turns_.push_back(agent);
    line.push_back(waiter);
  }

  // Not empty. The first of the agent whose turn it is.
  T* front() const { return lines_.at(turns_.front()).front(); }

  // It has been served; the turn passes on.
  void pop() {
    const std::string agent = std::move(turns_.front());
    turns_.pop_front();
    const auto line = lines_.find(agent);
    line->second.pop_front();
    if (line->second.empty()) {
      lines_.erase(line);
    } else {
      turns_.push_back(agent);
    }
  }

  void remove(const std::string& agent, T* waiter) {
    const auto line = lines_.find(agent);
    if (line == lines_.end()) return;
    std::erase(line->second, waiter);
    if (!line->second.empty()) return;
    lines_.erase(line);
    std::erase(turns_, agent);
  }

 private:
  std::deque<std::string> turns_;                // each agent that waits, once
  std::map<std::string, std::deque<T*>> lines_;  // none is empty
};

}  // namespace holdfast::model
