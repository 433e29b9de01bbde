#include "interop/mcp_stream.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "interop/mcp_answers.h"
#include "interop/mcp_questions.h"
#include "net/sse_writer.h"

namespace holdfast::interop {

namespace {

using identity::Permission;
using What = RunEvent::What;

constexpr std::size_t kMaxBatchBytes = 512 * 1024;
constexpr std::uint32_t kMaxQuestions = 20;  // at one time
constexpr std::string_view kQuestion = "holdfast-approval/";

}  // namespace

std::string question_id(const platform::Approval& approval) {
  return fmt::format("{}{}/{}", kQuestion, approval.id, approval.arguments_sha256);
}

std::optional<Question> read_question(const Json& id) {
  if (!id.is_string()) return std::nullopt;
  std::string_view text = id.get_ref<const std::string&>();
  if (!text.starts_with(kQuestion)) return std::nullopt;
  text.remove_prefix(kQuestion.size());
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  return Question{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

McpStream::~McpStream() {
  if (done_ || options_.outlives || host_.stopping()) return;
  if (!host_.may(options_.caller, Permission::kRun)) return;
  (void)host_.runs->cancel({.run = options_.run,
                            .by = Host::name_of(options_.caller),
                            .reason = "the MCP client closed the stream of its call"});
}

Status McpStream::open(std::string_view mark) {
  resumed_ = !mark.empty();
  return events_.open(*host_.runs, options_.run, mark == "~" ? std::string_view() : mark);
}

// Whatever leads back here: there is nothing to look up.
std::string McpStream::id_of(const std::string& behind) const {
  if (options_.peer.stateless() || behind.empty()) return "";
  Json id = {{"run", options_.run}, {"id", options_.id}, {"mark", behind}};
  if (!options_.progress.is_null()) id["progress"] = options_.progress;
  return base64url(dump_json(id));
}

void McpStream::message(const std::string& json, const std::string& behind, std::string& out) const {
  net::append_sse_event(out, id_of(behind), "message", json);
}

std::optional<std::string> McpStream::next() {
  if (done_) return std::nullopt;
  std::string out;
  // Primes the client to come back; older ones read JSON in every event.
  if (!greeted_ && !resumed_ && options_.peer.revision == kNewestSessionRevision)
    out = fmt::format("id: {}\nretry: 1000\ndata: \n\n", id_of("~"));
  greeted_ = true;
  while (out.size() < kMaxBatchBytes && !done_) {
    auto any = events_.take([&](RunEvent&& event, const std::string& behind) {
      if (!done_) show(event, behind, out);
    });
    if (!any) {
      message(rpc_error(options_.id, {kInternalError, any.error().message()}), {}, out);
      done_ = true;
    } else if (!*any) {
      break;
    }
  }
  return out;
}

void McpStream::show(const RunEvent& event, const std::string& behind, std::string& out) {
  if (!options_.progress.is_null() && event.seq > told_progress_) {
    if (const std::string text = progress_text(event); !text.empty()) {
      told_progress_ = event.seq;
      Json note = {{"jsonrpc", "2.0"}, {"method", "notifications/progress"}};
      note["params"] = {{"progressToken", options_.progress}, {"progress", event.seq}, {"message", text}};
      const bool more = event.what == What::kApproval || event.what == What::kClosed;
      message(dump_json(note), more ? std::string() : behind, out);
    }
  }
  if (event.what == What::kApproval) ask(event, behind, out);
  if (event.what == What::kClosed) finish(call_result(options_.run, event), behind, out);
}

// One that was decided meanwhile is no question any more.
void McpStream::ask(const RunEvent& event, const std::string& behind, std::string& out) {
  if (options_.told.contains(event.id)) return;
  const auto approval = host_.runs->approval(event.id);
  if (!approval || approval->status != platform::ApprovalStatus::kPending) return;
  if (options_.peer.stateless()) return ask_stateless(out);
  ask_session(*approval, behind, out);
}

void McpStream::ask_session(const platform::Approval& approval, const std::string& behind, std::string& out) {
  const Asking how = asking_of(options_.peer, may_answer(host_, options_.caller, approval), approval);
  if (how == Asking::kNone)
    return finish(waiting_result(options_.run, {approval}, host_.page()), behind, out);
  options_.told.insert(approval.id);
  Json question = {{"jsonrpc", "2.0"}, {"id", question_id(approval)}, {"method", "elicitation/create"}};
  question["params"] = elicitation_params(options_.peer, how, approval, host_.page());
  message(dump_json(question), behind, out);
}

// All that is open is asked together; what came between the retry of the call and now is asked again.
void McpStream::ask_stateless(std::string& out) {
  platform::ApprovalFilter filter;
  filter.status = platform::ApprovalStatus::kPending;
  filter.run = options_.run;
  filter.limit = kMaxQuestions;
  const auto open = host_.store->approvals(filter);
  if (!open) {
    done_ = true;
    return message(rpc_error(options_.id, {kInternalError, open.error().message()}), {}, out);
  }
  Json questions = Json::object();
  Json seen = Json::object();
  std::vector<platform::Approval> others;
  for (const platform::Approval& one : *open) {
    if (options_.told.contains(one.id)) continue;
    const Asking how = options_.asks ? asking_of(options_.peer, may_answer(host_, options_.caller, one), one)
                                     : Asking::kNone;
    if (how == Asking::kNone) {
      others.push_back(one);
      continue;
    }
    questions[one.id] = {{"method", "elicitation/create"},
                         {"params", elicitation_params(options_.peer, how, one, host_.page())}};
    seen[one.id] = one.arguments_sha256;
  }
  if (questions.empty() && others.empty()) return;
  if (questions.empty()) return finish(waiting_result(options_.run, others, host_.page()), {}, out);
  const Json state = {{"run", options_.run}, {"outlives", options_.outlives}, {"seen", std::move(seen)}};
  finish({{"resultType", "input_required"},
          {"inputRequests", std::move(questions)},
          {"requestState", base64url(dump_json(state))}},
         {}, out);
}

void McpStream::finish(Json result, const std::string& behind, std::string& out) {
  message(rpc_result(options_.id, complete(options_.peer, host_.build(), std::move(result))), behind, out);
  done_ = true;
}

}  // namespace holdfast::interop
