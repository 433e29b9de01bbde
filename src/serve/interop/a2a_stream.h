#pragma once

// What answers an A2A message: the events of its task as they come, or, for who does not stream, the task
// when it has ended or somebody is asked.
//
// Live on the stream's executor, as ProtocolStream.

#include <string>

#include "interop/a2a_json.h"
#include "interop/json_rpc.h"
#include "interop/protocol_stream.h"

namespace holdfast::interop {

// The task as it stands. NOT_FOUND: there is none.
Result<A2aTask> read_task(const Host& host, const std::string& run);

class A2aStream final : public ProtocolStream {
 public:
  A2aStream(const Host& host, A2aVersion version, Json id, A2aTask task)
      : ProtocolStream(host, task.id), words_(version), id_(std::move(id)), task_(std::move(task)) {}

 private:
  void greet(Messages& out) override;
  void show(const RunEvent& event, const std::string& behind, Messages& out) override;
  void fail(const Status& status, Messages& out) override;
  void tell(Json result, Messages& out) const { out.push_back(rpc_result(id_, std::move(result))); }
  void update(TaskState state, Messages& out);

  const A2aWords words_;
  const Json id_;
  A2aTask task_;
  bool fresh_ = true;  // the next piece begins an answer
};

// Its stream is silent until the one JSON document that it has.
class A2aWait final : public ProtocolStream {
 public:
  // `to_the_end`: a question to a person is no end.
  A2aWait(const Host& host, A2aVersion version, Json id, std::string run, bool to_the_end)
      : ProtocolStream(host, std::move(run)), words_(version), id_(std::move(id)), to_the_end_(to_the_end) {}

 private:
  void greet(Messages&) override {}
  void show(const RunEvent& event, const std::string& behind, Messages& out) override;
  void fail(const Status& status, Messages& out) override;
  void write(const Messages& messages, const std::string& behind, std::string& out) const override;

  const A2aWords words_;
  const Json id_;
  const bool to_the_end_;
};

}  // namespace holdfast::interop
