#pragma once

// Starting a run for a message of a protocol that streams its run: or finding the one that the same message
// has started before. Thread-safe; blocks.

#include <expected>
#include <optional>
#include <string>

#include "interop/host.h"
#include "interop/protocol_stream.h"

namespace holdfast::interop {

struct ChatStart {
  std::string agent;
  std::string run;  // follows from the message: the same one again is the same run
  std::string conversation;
  std::string input;  // text
  Json context = nullptr;
};

// The run's id.
std::expected<std::string, net::Problem> start_chat(const Host& host, const net::Request& request,
                                                    const ChatStart& start);

// An id of a run that follows from what a protocol calls a message.
std::string run_id_of(std::string_view protocol, const identity::Caller& caller,
                      std::initializer_list<std::string_view> parts);

// Where the answer to a question goes on, and the decision itself; a Problem when the question is none of
// ours, or of another agent.
struct Resumed {
  std::string run;
  std::string mark;
  runs::DecisionRequest decision;
};
// What a person said to a question.
struct ChatAnswer {
  bool given = true;                            // false: it is left to others; nothing is decided
  std::optional<bool> approved = std::nullopt;  // whether a call may be made
  std::string comment = {};
  Json form = nullptr;  // what was filled in
};
std::expected<Resumed, net::Problem> resume_chat(const Host& host, const identity::Caller& caller,
                                                 std::string_view agent, std::string_view question,
                                                 const ChatAnswer& answer);

net::Problem wrong_field(std::string detail);

// Serves `source` on the host's streams once it is open.
void follow(const Host& host, std::shared_ptr<ProtocolStream> source, std::string_view mark, bool greets,
            net::Response head, net::Responder responder);

}  // namespace holdfast::interop
