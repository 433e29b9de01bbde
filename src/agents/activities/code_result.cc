#include "activities/code_result.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json.h"

namespace holdfast::agent {

namespace {

using Json = nlohmann::json;

constexpr int kAround = 8;  // levels of what is around a result in the inputs

// A text that is JSON is what it says; every other one is a string.
std::string value_of(const CodeAnswer& answer) {
  const bool json = answer.ok && !answer.text.empty() &&
                    !nests_deeper(answer.text, kMaxForeignJsonDepth - kAround) && Json::accept(answer.text);
  return json ? answer.text : dump_json(Json(answer.text));
}

CodeEnd failed(const CodePast& past, std::string_view kind, std::string text) {
  CodeEnd out;
  out.failed = true;
  out.text = std::move(text);
  if (past.calls() > 0) out.text += fmt::format("\nThe calls that it made before stand: {}.", past.told());
  out.more = {{"calls", past.calls()}, {"failure", {{"kind", kind}}}};
  return out;
}

void add_console(CodeEnd& end, const sandbox::Reply& reply) {
  if (reply.log.empty() && reply.log_left_out == 0) return;
  end.more["log"] = reply.log;  // for people
  end.text += "\nconsole:\n" + reply.log;
  if (reply.log_left_out > 0) end.text += fmt::format("({} more lines found no room)\n", reply.log_left_out);
}

CodeEnd failure_of(const CodePast& past, const sandbox::Failure& failure) {
  const std::string kind(sandbox::fault_name(failure.fault));
  const bool named = failure.fault == sandbox::Fault::kThrown && !failure.name.empty();
  std::string text = fmt::format(
      "the code failed ({}){}: {}", named ? failure.name : kind,
      failure.line > 0 ? fmt::format(" at {}:{}", failure.line, failure.column) : "", failure.message);
  CodeEnd out = failed(past, kind, std::move(text));
  if (named) out.more["failure"]["name"] = failure.name;
  if (failure.line > 0) out.more["failure"]["line"] = failure.line;
  return out;
}

bool is_call(const Json& asked) {
  return asked.is_object() && asked.contains("tool") && asked["tool"].is_string() &&
         asked.contains("arguments") && asked["arguments"].is_string() &&
         !nests_deeper(asked["arguments"].get_ref<const std::string&>(), kMaxForeignJsonDepth) &&
         parse_json(asked["arguments"].get_ref<const std::string&>()).is_object();
}

}  // namespace

void CodePast::add(const Json& calls, const std::vector<CodeAnswer>& answers) {
  rounds_ += rounds_.empty() ? "[" : ",[";
  for (std::size_t i = 0; i < calls.size() && i < answers.size(); ++i) {
    const std::string tool = calls[i].value("tool", "");
    rounds_ += fmt::format(R"({}{{"tool":{},"arguments":{},"ok":{},"value":{}}})", i == 0 ? "" : ",",
                           dump_json(Json(tool)), dump_json(calls[i].at("arguments")), answers[i].ok,
                           value_of(answers[i]));
    ++calls_;
    const auto known = std::ranges::find(by_tool_, tool, &std::pair<std::string, std::size_t>::first);
    if (known == by_tool_.end())
      by_tool_.emplace_back(tool, 1);
    else
      ++known->second;
  }
  rounds_ += "]";
}

std::string CodePast::inputs(const std::vector<std::string>& names, int most) const {
  return fmt::format(R"({{"names":{},"most":{},"rounds":[{}]}})", dump_json(Json(names)), most, rounds_);
}

std::string CodePast::told() const {
  std::string out;
  for (const auto& [tool, count] : by_tool_)
    out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", tool, count);
  return out;
}

CodeEnd end_of_code(const CodePast& past, const sandbox::Reply& reply, std::size_t most) {
  if (reply.failure) {
    CodeEnd out = failure_of(past, *reply.failure);
    add_console(out, reply);
    return out;
  }
  const Json result = parse_json(reply.result);
  if (result.is_object() && result.contains("diverged"))
    return failed(
        past, "diverged",
        fmt::format("CodeDiverged: run again over what its calls came to, the code made other calls "
                    "than before ({}). Nothing more of it is done",
                    dump_json(result["diverged"])));
  CodeEnd out;
  if (result.is_object() && result.contains("calls")) {
    const Json& calls = result["calls"];
    if (calls.is_array() && calls.size() > most)
      return failed(past, "calls_limit",
                    fmt::format("the code makes {} calls at once, at most {} are allowed: await some of them "
                                "before it makes the others",
                                calls.size(), most));
    if (calls.is_array() && !calls.empty() && std::ranges::all_of(calls, is_call)) {
      out.calls = calls;
      return out;
    }
  } else if (result.is_object() && result.contains("value")) {
    // As it was written, so that a number of any size stays the one that it is.
    const Json& value = result["value"];
    constexpr std::string_view kBefore = R"({"value":)";
    const std::string& said = reply.result;
    const bool plain = result.size() == 1 && said.starts_with(kBefore) && said.ends_with('}');
    out.text = value.is_string() ? value.get<std::string>()
               : plain           ? said.substr(kBefore.size(), said.size() - kBefore.size() - 1)
                                 : dump_json(value);
    out.more = {{"calls", past.calls()}};
    add_console(out, reply);
    return out;
  }
  return failed(past, "sandbox_died", "the sandbox answered with what is no answer");
}

CodeEnd code_did_not_run(const CodePast& past, const Status& why) {
  return failed(past, "no_sandbox", std::string(why.message()));
}

CodeEnd too_much_for_code(const CodePast& past, std::size_t most) {
  return failed(
      past, "results_limit",
      fmt::format("the calls of the code came to more than {} bytes, which it is given all together: "
                  "ask the tools for less",
                  most));
}

}  // namespace holdfast::agent
