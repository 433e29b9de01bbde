#pragma once

// What a planted bug does to calls between the network and the server: to an engine that sees a fresh request
// id, a repeated start is a new one; to one that sees the current attempt's token, an earlier attempt is the
// current one. The oracle has seen the call as it was sent. Without such a bug, calls pass unchanged.
// Single-threaded.

#include <map>
#include <string>
#include <utility>

#include "api/connection.h"
#include "sim/planted_bug.h"

namespace holdfast::sim {

class FaultyCalls {
 public:
  explicit FaultyCalls(PlantedBug bug) : bug_(bug) {}

  void arrives(api::Method method, api::Message& request);
  void leaves(api::Method method, const Result<api::MessagePtr>& answer);

 private:
  void change_request_id(api::Method method, api::Message& request);
  void remember(const std::string& token);
  void make_current(std::string* token) const;

  using Task = std::pair<std::string, std::int64_t>;  // run id, scheduled event id
  PlantedBug bug_;
  std::uint64_t arrived_ = 0;
  std::map<Task, std::string> newest_;  // token of the attempt that was handed out last
};

}  // namespace holdfast::sim
