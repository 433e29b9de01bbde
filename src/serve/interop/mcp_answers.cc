#include "interop/mcp_answers.h"

#include <fmt/format.h>

#include "base/text.h"
#include "interop/decisions.h"
#include "interop/mcp_questions.h"

namespace holdfast::interop {

namespace {

constexpr std::size_t kMaxProgressBytes = 512;

Json server_info(const std::string& build) {
  return {{"name", "holdfast"}, {"title", "Holdfast"}, {"version", build}};
}

constexpr const char* kInstructions =
    "Each tool is an agent: a call starts a run of it, which survives restarts, and gives its answer. A call "
    "with an idempotency key (_meta \"dev.holdfast/idempotency-key\") starts one run however often it is "
    "made. Where a person must decide first, the result names the run; holdfast_run waits for it.";

Json capabilities() {
  return {{"tools", {{"listChanged", false}}}};
}

}  // namespace

Json initialize_result(const McpPeer& peer, const std::string& build) {
  return {{"protocolVersion", peer.revision},
          {"capabilities", capabilities()},
          {"serverInfo", server_info(build)},
          {"instructions", kInstructions}};
}

Json discover_result(const std::string& build) {
  return {{"resultType", "complete"},
          {"supportedVersions", supported_revisions()},
          {"capabilities", capabilities()},
          {"instructions", kInstructions},
          {"ttlMs", 60'000},
          {"cacheScope", "private"},
          {"_meta", {{"io.modelcontextprotocol/serverInfo", server_info(build)}}}};
}

Json complete(const McpPeer& peer, const std::string& build, Json result) {
  if (!peer.stateless()) return result;
  if (!result.contains("resultType")) result["resultType"] = "complete";
  result["_meta"]["io.modelcontextprotocol/serverInfo"] = server_info(build);
  return result;
}

Json call_result(const std::string& run, const RunEvent& end) {
  const std::string text = end.is_error ? fmt::format("Error: the run {}: {}", end.name,
                                                      end.text.empty() ? "nothing more is known" : end.text)
                                        : end.text;
  Json structured = {{"run", run}, {"status", end.name}};
  structured[end.is_error ? "error" : "output"] = end.text;
  return {{"content", Json::array({{{"type", "text"}, {"text", text}}})},
          {"structuredContent", std::move(structured)},
          {"isError", end.is_error}};
}

Json call_refused(std::string why) {
  return {{"content", Json::array({{{"type", "text"}, {"text", "Error: " + std::move(why)}}})},
          {"isError", true}};
}

Json waiting_result(const std::string& run, const std::vector<platform::Approval>& approvals,
                    const std::string& page) {
  std::string text = fmt::format("The run {} waits for a person. ", run);
  Json listed = Json::array();
  for (const platform::Approval& one : approvals) {
    if (const auto question = question_of(one)) {
      text += fmt::format("Asked: {} ", bounded_text(question->text, kMaxProgressBytes));
    } else {
      text += fmt::format("Asked: may `{}` be called with {}? ", one.tool,
                          bounded_text(one.arguments, kMaxProgressBytes));
    }
    listed.push_back({{"id", one.id}, {"tool", one.tool}});
  }
  text += fmt::format(
      "Decide at {}/runs/{} or with `holdfast approvals`; then call the tool {} with {{\"run\": \"{}\"}} for "
      "the answer. Nothing is lost meanwhile.",
      page, run, kRunTool, run);
  return {
      {"content", Json::array({{{"type", "text"}, {"text", std::move(text)}}})},
      {"structuredContent", {{"run", run}, {"status", "input_required"}, {"approvals", std::move(listed)}}},
      {"isError", false}};
}

// ---- questions

Asking asking_of(const McpPeer& peer, bool may_answer, const platform::Approval& approval) {
  const auto question = question_of(approval);
  const bool fits =
      question ? elicitation_form(*question).has_value() : approval.arguments.size() <= kMaxShownArguments;
  if (peer.forms && may_answer && fits) return Asking::kForm;
  const bool knows_links = peer.stateless() || peer.revision == kNewestSessionRevision;
  return peer.links && knows_links ? Asking::kLink : Asking::kNone;
}

Json elicitation_params(const McpPeer& peer, Asking how, const platform::Approval& approval,
                        const std::string& page) {
  const std::string reason = approval.reason.empty() ? "" : fmt::format(" {}", approval.reason);
  const auto question = question_of(approval);
  if (how == Asking::kLink) {
    Json out = {{"mode", "url"},
                {"message", question ? fmt::format("The agent `{}` asks: {}", approval.agent, question->text)
                                     : fmt::format("The agent `{}` asks whether it may call `{}`.{}",
                                                   approval.agent, approval.tool, reason)},
                {"url", fmt::format("{}/runs/{}", page, approval.run)}};
    if (!peer.stateless()) out["elicitationId"] = approval.id;
    return out;
  }
  const bool says_mode = peer.stateless() || peer.revision == kNewestSessionRevision;
  if (question) {
    Json out = {{"message", fmt::format("The agent `{}` asks: {}", approval.agent, question->text)},
                {"requestedSchema", elicitation_form(*question).value_or(Json::object())}};
    if (says_mode) out["mode"] = "form";
    return out;
  }
  Json properties = {
      {"decision",
       {{"type", "string"},
        {"title", "Decision"},
        {"description", "approve: the call is made with exactly these arguments; reject: it is not"},
        {"enum", {"approve", "reject"}}}},
      {"comment", {{"type", "string"}, {"title", "Comment"}, {"maxLength", kMaxComment}}}};
  Json out = {{"message", fmt::format("The agent `{}` asks: may it call `{}` with {}?{}", approval.agent,
                                      approval.tool, approval.arguments, reason)},
              {"requestedSchema",
               {{"type", "object"}, {"properties", std::move(properties)}, {"required", {"decision"}}}}};
  if (says_mode) out["mode"] = "form";
  return out;
}

std::optional<runs::DecisionRequest> decision_in(const Json& answer, const platform::Approval& approval) {
  if (text_member(answer, "action") != "accept") return std::nullopt;
  const Json& content = object_member(answer, "content");
  if (const auto question = question_of(approval)) {
    // What no client was asked with a form takes no answer from one.
    if (!elicitation_form(*question)) return std::nullopt;
    auto said = answer_to(*question, content);
    return said ? std::optional(*std::move(said)) : std::nullopt;
  }
  const std::string word = text_member(content, "decision");
  if (word != "approve" && word != "reject") return std::nullopt;
  runs::DecisionRequest out;
  out.decision = word == "approve" ? protocol::DecisionKind::kApprove : protocol::DecisionKind::kReject;
  out.comment = bounded_text(text_member(content, "comment"), kMaxComment);
  return out;
}

std::string progress_text(const RunEvent& event) {
  using What = RunEvent::What;
  switch (event.what) {
    case What::kStarted: return "the agent has begun";
    case What::kTextStart: return "the model answers";
    case What::kTextDropped: return "the model's answer broke off, and is asked for again";
    case What::kToolCall: return fmt::format("the call of {}", event.name);
    case What::kToolResult:
      return fmt::format("{} {}", event.name, event.is_error ? "failed" : "has answered");
    case What::kApproval: return fmt::format("a person is asked about {}", event.name);
    case What::kDecided: return fmt::format("{}: {}", event.name, event.text);
    case What::kStage: return event.name == "step.started" ? "the model is asked" : event.name;
    default: return "";
  }
}

}  // namespace holdfast::interop
