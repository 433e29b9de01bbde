#pragma once

// Turns: calls that wait for something there is too little of, each connection's in their order, connections
// in turns. Owner: whoever hands it out; io thread only.

#include <deque>
#include <memory>
#include <unordered_map>

namespace holdfast::rpc {

class Call;

class Turns {
 public:
  // `from` tells connections apart.
  void add(const void* from, std::shared_ptr<Call> call);
  // The next that is not over. Null: there is none.
  std::shared_ptr<Call> take();

 private:
  std::unordered_map<const void*, std::deque<std::shared_ptr<Call>>> calls_;
  std::deque<const void*> turns_;
};

}  // namespace holdfast::rpc
