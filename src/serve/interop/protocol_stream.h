#pragma once

// ProtocolStream: a run as Server-Sent Events of some protocol. The protocol says what an event of the run is
// in its words; ids, batches and the end are the same for all: an id is a mark (run_events.h), with which a
// reader goes on exactly behind what he has, also when the server died in between.
//
// Lives on the stream's executor. It gives at most one batch of the log at a time.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "interop/host.h"
#include "interop/run_stream.h"

namespace holdfast::interop {

class ProtocolStream {
 public:
  ProtocolStream(const Host& host, std::string run) : host_(host), run_(std::move(run)) {}
  virtual ~ProtocolStream() = default;
  ProtocolStream(const ProtocolStream&) = delete;
  ProtocolStream& operator=(const ProtocolStream&) = delete;

  // From a mark on. `greets`: what opens an answer of the protocol comes first.
  Status open(std::string_view mark, bool greets);
  void bind(const std::shared_ptr<net::Stream>& stream) { events_.bind(stream); }
  std::optional<std::string> next();

 protected:
  using Messages = std::vector<std::string>;

  virtual void greet(Messages& out) = 0;
  // `behind`: the mark behind it; empty: more of the same event of the log follows.
  virtual void show(const RunEvent& event, const std::string& behind, Messages& out) = 0;
  virtual void fail(const Status& status, Messages& out) = 0;
  // As Server-Sent Events, unless the protocol says otherwise. The last of them leads on behind all.
  virtual void write(const Messages& messages, const std::string& behind, std::string& out) const;
  // What ends every stream of the protocol.
  virtual std::string last_words() const { return {}; }

  void end() { done_ = true; }
  const Host& host() const { return host_; }
  const std::string& run() const { return run_; }
  // The approval when it still waits for somebody.
  std::optional<platform::Approval> pending(const std::string& approval) const;

 private:
  const Host& host_;
  const std::string run_;
  RunStream events_;
  bool greets_ = false;
  bool done_ = false;
};

// An approval as the id of a question, with the place in the log where its answer goes on.
std::string question_at(const std::string& approval, const std::string& behind);
struct QuestionPlace {
  std::string approval;
  std::string mark;
};
std::optional<QuestionPlace> read_question_at(std::string_view id);

}  // namespace holdfast::interop
