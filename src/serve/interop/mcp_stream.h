#pragma once

// McpStream: the answer to a tools/call as it comes: progress, questions to people, and last the result.
//
// Lives on the stream's executor; what it holds is small, the pieces it gives are at most one batch of the
// log. Destroyed unfinished it cancels the run when the call's caller has hung up for good.

#include <optional>
#include <set>
#include <string>

#include "interop/host.h"
#include "interop/mcp_request.h"
#include "interop/run_stream.h"

namespace holdfast::interop {

struct McpStreamOptions {
  McpPeer peer;
  identity::Caller caller;
  Json id;
  Json progress;  // the token; null: none
  std::string run;
  bool asks = true;            // people, where the client can
  bool outlives = true;        // the run goes on when the client hangs up
  std::set<std::string> told;  // approvals about which it knows already
};

class McpStream {
 public:
  McpStream(const Host& host, McpStreamOptions options) : host_(host), options_(std::move(options)) {}
  ~McpStream();
  McpStream(const McpStream&) = delete;
  McpStream& operator=(const McpStream&) = delete;

  // "~" begins at the beginning, as the event before all others says.
  Status open(std::string_view mark);
  void bind(const std::shared_ptr<net::Stream>& stream) { events_.bind(stream); }
  std::optional<std::string> next();

 private:
  void show(const RunEvent& event, const std::string& behind, std::string& out);
  void ask(const RunEvent& event, const std::string& behind, std::string& out);
  void ask_session(const platform::Approval& approval, const std::string& behind, std::string& out);
  void ask_stateless(std::string& out);
  void finish(Json result, const std::string& behind, std::string& out);
  void message(const std::string& json, const std::string& behind, std::string& out) const;
  std::string id_of(const std::string& behind) const;

  const Host& host_;
  McpStreamOptions options_;
  RunStream events_;
  bool greeted_ = false;
  bool resumed_ = false;
  bool done_ = false;
  std::uint64_t told_progress_ = 0;
};

// The id of a question in a session, from which its answer finds its way.
struct Question {
  std::string approval;
  std::string arguments_sha256;
};
std::string question_id(const platform::Approval& approval);
std::optional<Question> read_question(const Json& id);

}  // namespace holdfast::interop
