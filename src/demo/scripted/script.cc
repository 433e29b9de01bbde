#include "scripted/script.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace holdfast::model {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxRules = 10'000;
constexpr std::size_t kMaxScriptBytes = 8 << 20;

// Inside this file a wrong script is an exception; parse() turns it into a status.
struct Wrong {
  YAML::Mark mark;
  std::string what;
};

[[noreturn]] void wrong(const YAML::Node& node, std::string what) {
  throw Wrong{node.Mark(), std::move(what)};
}

std::string scalar(const YAML::Node& node, const char* what) {
  if (!node.IsScalar()) wrong(node, fmt::format("{} must be a text", what));
  return node.Scalar();
}

template <typename T>
T number(const YAML::Node& node, const char* what) {
  T value{};
  if (!node.IsScalar() || !YAML::convert<T>::decode(node, value) || value < 0)
    wrong(node, fmt::format("{} must be a number, 0 or more", what));
  return value;
}

bool boolean(const YAML::Node& node, const char* what) {
  bool value = false;
  if (!node.IsScalar() || !YAML::convert<bool>::decode(node, value))
    wrong(node, fmt::format("{} must be true or false", what));
  return value;
}

// "20ms", "1.5s" or a plain number of milliseconds.
std::chrono::milliseconds duration(const YAML::Node& node, const char* what) {
  std::string text = scalar(node, what);
  double factor = 1;
  if (text.ends_with("ms")) {
    text.resize(text.size() - 2);
  } else if (text.ends_with('s')) {
    text.resize(text.size() - 1);
    factor = 1000;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    wrong(node, fmt::format("{} must be a time such as 20ms or 1.5s", what));
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(value * factor));
}

std::unique_ptr<RE2> expression(const YAML::Node& node, const char* what) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  auto out = std::make_unique<RE2>(scalar(node, what), options);
  if (!out->ok()) wrong(node, fmt::format("{} is no regular expression: {}", what, out->error()));
  return out;
}

Json json_of(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Sequence: {
      Json out = Json::array();
      for (const auto& item : node) out.push_back(json_of(item));
      return out;
    }
    case YAML::NodeType::Map: {
      Json out = Json::object();
      for (const auto& item : node) out[item.first.Scalar()] = json_of(item.second);
      return out;
    }
    case YAML::NodeType::Scalar: {
      if (node.Tag() == "!") return node.Scalar();  // quoted
      std::int64_t integer = 0;
      if (YAML::convert<std::int64_t>::decode(node, integer)) return integer;
      double real = 0;
      if (YAML::convert<double>::decode(node, real)) return real;
      bool flag = false;
      if (YAML::convert<bool>::decode(node, flag)) return flag;
      return node.Scalar();
    }
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined: break;
  }
  return nullptr;
}

// Calls `read(name, value)` for each member; `read` says whether it knows the name.
template <typename Read>
void members(const YAML::Node& node, const char* what, Read read) {
  if (!node.IsMap()) wrong(node, fmt::format("{} must be a mapping", what));
  for (const auto& item : node) {
    const std::string name = item.first.Scalar();
    if (!read(name, item.second)) wrong(item.first, fmt::format("{} has no key \"{}\"", what, name));
  }
}

ScriptedToolCall tool_call_of(const YAML::Node& node) {
  ScriptedToolCall out;
  out.arguments = "{}";
  members(node, "a tool call", [&](const std::string& name, const YAML::Node& value) {
    if (name == "id") {
      out.id = scalar(value, "id");
    } else if (name == "name") {
      out.name = scalar(value, "name");
    } else if (name == "arguments") {
      // A text is sent as it is: that is how a script sends invalid JSON.
      out.arguments = value.IsScalar() ? value.Scalar() : dump_json(json_of(value));
    } else {
      return false;
    }
    return true;
  });
  if (out.name.empty()) wrong(node, "a tool call needs a name");
  return out;
}

ScriptedFault fault_of(const YAML::Node& node) {
  ScriptedFault out;
  int kinds = 0;
  members(node, "a fault", [&](const std::string& name, const YAML::Node& value) {
    using Kind = ScriptedFault::Kind;
    const auto kind = [&](Kind which) {
      out.kind = which;
      ++kinds;
    };
    if (name == "status") {
      kind(Kind::kStatus);
      out.status = number<int>(value, "status");
      if (out.status < 400 || out.status > 599) wrong(value, "status must be from 400 to 599");
    } else if (name == "cut_after") {
      kind(Kind::kCut);
      out.after = number<std::uint64_t>(value, "cut_after");
    } else if (name == "hang_after") {
      kind(Kind::kHang);
      out.after = number<std::uint64_t>(value, "hang_after");
    } else if (name == "error_after") {
      kind(Kind::kStreamError);
      out.after = number<std::uint64_t>(value, "error_after");
    } else if (name == "first") {
      out.first = number<std::uint64_t>(value, "first");
    } else if (name == "code") {
      out.code = scalar(value, "code");
    } else if (name == "type") {
      out.type = scalar(value, "type");
    } else if (name == "message") {
      out.message = scalar(value, "message");
    } else if (name == "retry_after") {
      out.retry_after = scalar(value, "retry_after");
    } else if (name == "retry_after_ms") {
      out.retry_after_ms = scalar(value, "retry_after_ms");
    } else if (name == "should_retry") {
      out.should_retry = boolean(value, "should_retry") ? "true" : "false";
    } else {
      return false;
    }
    return true;
  });
  if (kinds != 1) wrong(node, "a fault has one of status, cut_after, hang_after and error_after");
  return out;
}

void read_when(const YAML::Node& node, ScriptedRule& rule) {
  members(node, "when", [&](const std::string& name, const YAML::Node& value) {
    if (name == "model") {
      rule.model = scalar(value, "model");
    } else if (name == "api") {
      rule.api = scalar(value, "api");
      if (std::find(kScriptedApis.begin(), kScriptedApis.end(), rule.api) == kScriptedApis.end())
        wrong(value, fmt::format("api must be one of {}", fmt::join(kScriptedApis, ", ")));
    } else if (name == "tool") {
      rule.tool = scalar(value, "tool");
    } else if (name == "turn") {
      rule.turn = number<std::uint64_t>(value, "turn");
    } else if (name == "system") {
      rule.system = expression(value, "system");
    } else if (name == "last") {
      rule.last = expression(value, "last");
    } else {
      return false;
    }
    return true;
  });
}

void read_expect(const YAML::Node& node, ScriptedExpectation& expect) {
  members(node, "expect", [&](const std::string& name, const YAML::Node& value) {
    if (name == "system") {
      expect.system = expression(value, "system");
    } else if (name == "last") {
      expect.last = expression(value, "last");
    } else if (name == "new") {
      if (!value.IsSequence()) wrong(value, "new must be a list of expressions");
      for (const auto& one : value) expect.news.push_back(expression(one, "new"));
    } else if (name == "tools") {
      if (!value.IsSequence()) wrong(value, "tools must be a list of names");
      for (const auto& one : value) expect.tools.push_back(scalar(one, "a tool"));
    } else {
      return false;
    }
    return true;
  });
}

void read_usage(const YAML::Node& node, ScriptedReply& reply) {
  members(node, "usage", [&](const std::string& name, const YAML::Node& value) {
    if (name == "input") {
      reply.input_tokens = number<std::int64_t>(value, "input");
    } else if (name == "output") {
      reply.output_tokens = number<std::int64_t>(value, "output");
    } else if (name == "cached") {
      reply.cached_tokens = number<std::int64_t>(value, "cached");
    } else if (name == "reasoning") {
      reply.reasoning_tokens = number<std::int64_t>(value, "reasoning");
    } else {
      return false;
    }
    return true;
  });
}

ScriptedStop stop_of(const YAML::Node& node) {
  const std::string text = scalar(node, "stop");
  if (text == "end") return ScriptedStop::kEnd;
  if (text == "tool_calls") return ScriptedStop::kToolCalls;
  if (text == "max_tokens") return ScriptedStop::kMaxTokens;
  if (text == "content_filter") return ScriptedStop::kContentFilter;
  wrong(node, "stop must be end, tool_calls, max_tokens or content_filter");
}

bool read_delivery(const std::string& name, const YAML::Node& value, ScriptedReply& reply) {
  if (name == "delay") {
    reply.delay = duration(value, "delay");
  } else if (name == "chunk") {
    reply.chunk = number<std::size_t>(value, "chunk");
  } else if (name == "write_bytes") {
    reply.write_bytes = number<std::size_t>(value, "write_bytes");
  } else {
    return false;
  }
  return true;
}

ScriptedRule rule_of(const YAML::Node& node, const ScriptedReply& defaults) {
  ScriptedRule rule;
  ScriptedReply& reply = rule.reply;
  reply = defaults;
  bool stop_given = false;
  rule.line = node.Mark().line + 1;
  members(node, "a reply", [&](const std::string& name, const YAML::Node& value) {
    if (name == "when") {
      read_when(value, rule);
    } else if (name == "expect") {
      read_expect(value, rule.expect);
    } else if (name == "text") {
      reply.text = scalar(value, "text");
    } else if (name == "reasoning") {
      reply.reasoning = scalar(value, "reasoning");
    } else if (name == "tool_calls") {
      if (!value.IsSequence()) wrong(value, "tool_calls must be a list");
      for (const auto& call : value) reply.tool_calls.push_back(tool_call_of(call));
    } else if (name == "usage") {
      read_usage(value, reply);
    } else if (name == "stop") {
      reply.stop = stop_of(value);
      stop_given = true;
    } else if (name == "faults") {
      if (!value.IsSequence()) wrong(value, "faults must be a list");
      for (const auto& fault : value) reply.faults.push_back(fault_of(fault));
    } else if (name == "count") {
      const std::string by = scalar(value, "count");
      if (by != "request" && by != "rule") wrong(value, "count must be request or rule");
      rule.count_by_rule = by == "rule";
    } else {
      return read_delivery(name, value, reply);
    }
    return true;
  });
  if (!stop_given && !reply.tool_calls.empty()) reply.stop = ScriptedStop::kToolCalls;
  return rule;
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

// {{last}} is the whole last message, {{last.N}} a group of the rule's expression. Inside arguments the text
// becomes part of a JSON string.
void fill_in(ScriptedReply& reply, const std::vector<std::string>& groups) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const std::string name = i == 0 ? "{{last}}" : fmt::format("{{{{last.{}}}}}", i);
    replace_all(reply.text, name, groups[i]);
    std::string escaped = dump_json(Json(groups[i]));
    escaped = escaped.substr(1, escaped.size() - 2);
    for (ScriptedToolCall& call : reply.tool_calls) replace_all(call.arguments, name, escaped);
  }
}

bool matches(const ScriptedRule& rule, const ScriptedRequest& request, std::vector<std::string>& groups) {
  if (!rule.model.empty() && rule.model != request.model) return false;
  if (!rule.api.empty() && rule.api != request.api) return false;
  if (rule.turn && *rule.turn != request.turn) return false;
  if (!rule.tool.empty() &&
      std::find(request.tools.begin(), request.tools.end(), rule.tool) == request.tools.end())
    return false;
  if (rule.system && !RE2::PartialMatch(request.system, *rule.system)) return false;
  groups = {request.last};
  if (!rule.last) return true;
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(rule.last->NumberOfCapturingGroups()) + 1);
  if (!rule.last->Match(request.last, 0, request.last.size(), RE2::UNANCHORED, found.data(),
                        static_cast<int>(found.size())))
    return false;
  for (std::size_t i = 1; i < found.size(); ++i)
    groups.emplace_back(found[i].data() == nullptr ? "" : std::string(found[i].data(), found[i].size()));
  return true;
}

// Empty: everything is as the rule expects it.
std::string missing_in(const ScriptedRequest& request, const ScriptedExpectation& expect) {
  const auto lacks = [](const char* where, const std::string& what, const std::string& text) {
    return fmt::format("{} with \"{}\", and got \"{}\"", where, what, text.substr(0, 1000));
  };
  if (expect.system && !RE2::PartialMatch(request.system, *expect.system))
    return lacks("a system prompt", expect.system->pattern(), request.system);
  if (expect.last && !RE2::PartialMatch(request.last, *expect.last))
    return lacks("a last message", expect.last->pattern(), request.last);
  for (const auto& one : expect.news) {
    if (!RE2::PartialMatch(request.news, *one)) return lacks("something new", one->pattern(), request.news);
  }
  for (const std::string& tool : expect.tools) {
    if (std::ranges::find(request.tools, tool) == request.tools.end())
      return lacks("tools", tool, fmt::format("{}", fmt::join(request.tools, ", ")));
  }
  return {};
}

}  // namespace

ScriptedExpectation::ScriptedExpectation() = default;
ScriptedExpectation::~ScriptedExpectation() = default;
ScriptedExpectation::ScriptedExpectation(ScriptedExpectation&&) noexcept = default;
ScriptedRule::ScriptedRule() = default;
ScriptedRule::~ScriptedRule() = default;
ScriptedRule::ScriptedRule(ScriptedRule&&) noexcept = default;

Result<Script> Script::parse(const std::string& yaml, const std::string& name) {
  const auto at = [&](const YAML::Mark& mark, const std::string& what) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}:{}:{}: {}", name, mark.line + 1, mark.column + 1, what));
  };
  if (yaml.size() > kMaxScriptBytes)
    return fail(Code::kInvalidArgument, fmt::format("{}: larger than {} bytes", name, kMaxScriptBytes));
  try {
    const YAML::Node root = YAML::Load(yaml);
    Script script;
    ScriptedReply defaults;
    YAML::Node replies;
    members(root, "a script", [&](const std::string& key, const YAML::Node& value) {
      if (key == "models") {
        if (!value.IsSequence()) wrong(value, "models must be a list");
        for (const auto& model : value) script.models_.push_back(scalar(model, "a model"));
      } else if (key == "api_key") {
        script.api_key_ = scalar(value, "api_key");
      } else if (key == "replies") {
        if (!value.IsSequence() || value.size() > kMaxRules)
          wrong(value, fmt::format("replies must be a list of at most {}", kMaxRules));
        replies = value;
      } else {
        return read_delivery(key, value, defaults);
      }
      return true;
    });
    if (!replies.IsDefined() || replies.size() == 0) wrong(root, "a script needs replies");
    for (const auto& reply : replies) script.rules_.push_back(rule_of(reply, defaults));
    return script;
  } catch (const Wrong& problem) {
    return at(problem.mark, problem.what);
  } catch (const YAML::Exception& problem) {
    return at(problem.mark, problem.msg);
  }
}

Result<Script::Choice> Script::choose(const ScriptedRequest& request) const {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const ScriptedRule& rule = rules_[i];
    std::vector<std::string> groups;
    if (!matches(rule, request, groups)) continue;
    if (std::string missing = missing_in(request, rule.expect); !missing.empty()) {
      return fail(Code::kFailedPrecondition,
                  fmt::format("the script's reply in line {} expects {}", rule.line, missing));
    }
    Choice choice;
    choice.reply = rule.reply;
    fill_in(choice.reply, groups);
    choice.key = rule.count_by_rule ? fmt::format("{}", i) : fmt::format("{}/{:016x}", i, request.hash);
    return choice;
  }
  return fail(
      Code::kNotFound,
      fmt::format(
          "the script has no reply for model \"{}\", turn {}, system prompt \"{}\", last message \"{}\"",
          request.model, request.turn, request.system.substr(0, 100), request.last.substr(0, 200)));
}

}  // namespace holdfast::model
