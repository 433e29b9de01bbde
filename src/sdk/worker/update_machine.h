#pragma once

// An update: asked for by a protocol message, then accepted and completed at exact places among the commands,
// or rejected without a trace.

#include <string>

#include "holdfast/failure.h"
#include "worker/machine.h"

namespace holdfast::worker {

// What asks for an update, from a live message or, on replay, from the event of its acceptance.
class UpdateRequest {
 public:
  UpdateRequest() = default;
  std::string protocol_instance_id;
  std::string message_id;
  std::int64_t sequencing_event_id = 0;
  pb::update::v1::Request request;
  bool replayed = false;
};

class UpdateMachine : public Machine {
 public:
  UpdateMachine(Outbox& outbox, UpdateRequest request) : outbox_(outbox), request_(std::move(request)) {}

  const UpdateRequest& request() const { return request_; }
  void accept();
  void complete(const Payload& result);
  void fail(const Failure& failure);
  // Instead of accept().
  ProtocolMessage rejection(const Failure& failure) const;

  std::string describe(enums::EventType kind) const override;
  void write(enums::EventType kind, Command* command) const override;
  bool has_message() const override { return true; }
  void write_message(enums::EventType kind, ProtocolMessage* message) const override;
  void recorded(enums::EventType kind, const HistoryEvent& event) override;
  void resolve(const HistoryEvent& event) override;

  enum class State { kRequested, kAcceptCreated, kBothCreated, kAccepted, kCompleteCreated, kDone };
  enum class Input { kAccept, kAcceptedEvent, kComplete, kCompletedEvent };

 private:
  void step(Input input, const HistoryEvent* event);
  std::string message_id(enums::EventType kind) const;

  Outbox& outbox_;
  const UpdateRequest request_;
  pb::update::v1::Outcome outcome_;
  State state_ = State::kRequested;
};

}  // namespace holdfast::worker
