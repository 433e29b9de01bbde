#include "intake/agents_sdk.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/json.h"
#include "intake/code_reader.h"
#include "intake/flow_text.h"
#include "language/flow.h"

namespace holdfast::flows {

namespace {

using Json = nlohmann::ordered_json;
using Kind = CodeToken::Kind;
using Note = ImportNote;

constexpr std::size_t kMostReadAgain = 10;

std::string name_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte))
      out += static_cast<char>(std::tolower(byte));
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  out.resize(std::min<std::size_t>(out.size(), 60));
  while (out.ends_with('-')) out.pop_back();
  return out.empty() ? "imported" : out;
}

bool is_code(const Json& value) {
  return value.is_object() && value.contains("$code");
}
bool is_call(const Json& value) {
  return value.is_object() && value.contains("$call");
}
std::string code_in(const Json& value) {
  return is_code(value) ? value["$code"].get<std::string>() : dump_json(value);
}

struct FoundAgent {
  std::string variable;
  std::string name;
  Json fields;
  int line = 0;
};

class Import {
 public:
  Import(std::string_view code, std::string_view source, std::string name)
      : code_(code),
        python_(!(source.ends_with(".ts") || source.ends_with(".js") || source.ends_with(".mjs"))),
        source_(source),
        flow_name_(std::move(name)) {
    // A text from a pipe says itself what it is.
    if (source == "-") python_ = code.find("new Agent(") == std::string_view::npos;
    tokens_ = code_tokens(code_, python_);
  }

  Result<ImportedFlow> run();

 private:
  bool is(std::size_t at, std::string_view sign) const {
    return at < tokens_.size() && tokens_[at].kind != Kind::kText && tokens_[at].text == sign;
  }
  void definitions();
  std::string variable_before(std::size_t at) const;
  void agents();
  void agent_file(const FoundAgent& agent);
  Json model_of(const FoundAgent& agent, Json& fields);
  void tools_of(const FoundAgent& agent, const Json& tools, Json& spec);
  bool mcp_server(const Json& tool, Json& spec);
  void handoffs_of(const FoundAgent& agent, const Json& handoffs, Json& spec);
  void runs();
  void control_flow();
  void flow();
  const FoundAgent* find(std::string_view variable) const;
  void note(Note::Kind kind, const std::string& of, std::string what) {
    out_.notes.push_back({kind, of, std::move(what)});
  }

  std::string_view code_;
  bool python_;
  std::string source_;
  std::string flow_name_;
  std::vector<CodeToken> tokens_;
  std::map<std::string, Json> values_;  // calls that have a name
  std::vector<FoundAgent> agents_;
  std::vector<std::size_t> runs_;  // agents, in the order in which they are run
  ImportedFlow out_;
};

// `NAME = ` or `const NAME: Type = ` before the token.
std::string Import::variable_before(std::size_t at) const {
  if (at > 0 && is(at - 1, "new")) --at;
  if (at < 2 || !is(at - 1, "=")) return "";
  std::size_t name = at - 2;
  for (std::size_t back = 0; back < 12 && name >= back; ++back) {
    const std::size_t one = name - back;
    if (one > 0 && (is(one - 1, "const") || is(one - 1, "let") || is(one - 1, "var")))
      return tokens_[one].text;
  }
  for (std::size_t one = name; one > 0 && name - one < 12 && tokens_[one].line == tokens_[name].line; --one) {
    if (is(one, ":") && tokens_[one - 1].kind == Kind::kWord) return tokens_[one - 1].text;
  }
  return tokens_[name].kind == Kind::kWord ? tokens_[name].text : "";
}

void Import::definitions() {
  const CodeReader reader(code_, tokens_);
  std::size_t read = 0;
  for (std::size_t i = 0; i + 1 < tokens_.size(); ++i) {
    if (tokens_[i].kind != Kind::kWord) continue;
    std::size_t open = i + 1;
    // `Agent[Context](`, `new Agent<Context>(`.
    if (tokens_[i].text == "Agent" && (is(open, "[") || is(open, "<"))) {
      const std::string_view closes = is(open, "[") ? "]" : ">";
      while (open < tokens_.size() && open < i + 20 && !is(open, closes)) ++open;
      ++open;
    }
    if (!is(open, "(")) continue;
    const std::string variable = variable_before(i);
    if (tokens_[i].text != "Agent" && variable.empty()) continue;
    if (is(i - (i > 0 ? 1 : 0), ".") || is(i - (i > 0 ? 1 : 0), "def")) continue;
    std::size_t at = open + 1;
    Json call = reader.call(tokens_[i].text, at);
    // Calls within calls are read again for themselves, and that has an end.
    read += at - open;
    if (read > kMostReadAgain * tokens_.size())
      return note(Note::Kind::kLeftOut, "", "calls nest too deep; the rest was not read");
    if (tokens_[i].text != "Agent") {
      values_.emplace(variable, std::move(call));
      continue;
    }
    FoundAgent& found = agents_.emplace_back();
    found.line = tokens_[i].line;
    found.variable = variable;
    found.fields = call["named"];
    if (found.fields.empty() && !call["given"].empty() && call["given"][0].is_object())
      found.fields = call["given"][0];
    const Json name = found.fields.contains("name") ? found.fields["name"] : Json();
    found.name = name.is_string() ? name.get<std::string>() : variable;
    found.fields.erase("name");
  }
}

const FoundAgent* Import::find(std::string_view variable) const {
  const auto at = std::ranges::find(agents_, variable, &FoundAgent::variable);
  return at == agents_.end() || variable.empty() ? nullptr : &*at;
}

Json take(Json& fields, std::initializer_list<const char*> keys) {
  Json out;
  for (const char* key : keys) {
    if (!fields.contains(key)) continue;
    if (out.is_null()) out = fields[key];
    fields.erase(key);
  }
  return out;
}

Json Import::model_of(const FoundAgent& agent, Json& fields) {
  const Json model = take(fields, {"model"});
  std::string name = model.is_string() ? model.get<std::string>() : "";
  if (name.empty()) {
    name = "gpt-4.1";
    note(Note::Kind::kCheck, agent.name,
         model.is_null()
             ? "it names no model; the SDK's default stands in its file: gpt-4.1"
             : fmt::format("its model is computed ({}); gpt-4.1 stands in its file", code_in(model)));
  }
  Json out = {{"provider", "openai"}, {"name", name}, {"api_key_env", "OPENAI_API_KEY"}};
  Json settings = take(fields, {"model_settings", "modelSettings"});
  if (is_call(settings))
    settings = Json(settings["named"].empty() && !settings["given"].empty() ? settings["given"][0]
                                                                            : settings["named"]);
  if (!settings.is_object() || is_code(settings)) settings = Json::object();
  const Json temperature = take(settings, {"temperature"});
  if (temperature.is_number()) out["temperature"] = temperature;
  const Json tokens = take(settings, {"max_tokens", "maxTokens"});
  if (tokens.is_number_unsigned() && tokens != Json(0)) out["max_tokens"] = tokens;
  take(settings, {"store"});
  for (const auto& [key, value] : settings.items())
    note(Note::Kind::kLeftOut, agent.name, fmt::format("the model setting `{}`: {}", key, code_in(value)));
  return out;
}

// A hosted MCP tool is a server that the agent asks itself.
bool Import::mcp_server(const Json& tool, Json& spec) {
  Json settings = tool["named"].contains("tool_config") ? tool["named"]["tool_config"] : Json();
  if (settings.is_null() && !tool["given"].empty()) settings = tool["given"][0];
  if (!settings.is_object()) return false;
  const Json label = take(settings, {"server_label", "serverLabel"});
  const Json url = take(settings, {"server_url", "serverUrl"});
  if (!label.is_string() || !url.is_string()) return false;
  spec["mcp_servers"].push_back({{"name", name_of(label.get<std::string>())}, {"url", url}});
  return true;
}

void Import::tools_of(const FoundAgent& agent, const Json& tools, Json& spec) {
  for (const Json& one : tools.is_array() ? tools : Json::array({tools})) {
    const std::string name = code_in(one);
    const auto known = is_code(one) ? values_.find(name) : values_.end();
    const Json tool = known == values_.end() ? one : known->second;
    const std::string type = is_call(tool) ? tool["$call"].get<std::string>() : "a function";
    if (is_call(tool) && (type == "HostedMCPTool" || type == "hostedMcpTool") && mcp_server(tool, spec)) {
      note(
          Note::Kind::kCheck, agent.name,
          fmt::format("the MCP server of `{}`: its approvals and headers are to be given in the agent's file",
                      name));
      continue;
    }
    note(Note::Kind::kLeftOut, agent.name,
         fmt::format("the tool `{}` ({}): give it one of type http, sql or mcp", is_code(one) ? name : type,
                     is_call(tool) ? dump_json(tool) : type));
  }
}

void Import::handoffs_of(const FoundAgent& agent, const Json& handoffs, Json& spec) {
  for (const Json& one : handoffs.is_array() ? handoffs : Json::array({handoffs})) {
    const FoundAgent* to = find(code_in(one));
    if (to == nullptr) {
      note(Note::Kind::kLeftOut, agent.name, fmt::format("a handoff to `{}`", code_in(one)));
      continue;
    }
    std::string tool = "ask_" + name_of(to->name);
    std::ranges::replace(tool, '-', '_');
    spec["tools"].push_back({{"name", tool},
                             {"description", "Hands the request over to " + to->name + "."},
                             {"type", "agent"},
                             {"agent", name_of(to->name)}});
    note(Note::Kind::kCheck, agent.name,
         fmt::format("it handed over to `{}`; here it asks it, and answers itself", to->name));
  }
}

void Import::agent_file(const FoundAgent& agent) {
  Json fields = agent.fields;
  const Json instructions = take(fields, {"instructions"});
  Json spec = {{"model", model_of(agent, fields)}};
  spec["prompt"] = instructions.is_string() && !instructions.get<std::string>().empty()
                       ? instructions
                       : Json("You are a helpful assistant.");
  if (!instructions.is_null() && !instructions.is_string())
    note(Note::Kind::kLeftOut, agent.name,
         fmt::format("instructions that are computed: {}", code_in(instructions)));
  if (const Json tools = take(fields, {"tools"}); !tools.is_null()) tools_of(agent, tools, spec);
  if (const Json handoffs = take(fields, {"handoffs"}); !handoffs.is_null())
    handoffs_of(agent, handoffs, spec);
  if (const Json type = take(fields, {"output_type", "outputType"}); !type.is_null())
    note(Note::Kind::kLeftOut, agent.name,
         fmt::format("the type of its answer, `{}`: write it as `output_schema`", code_in(type)));
  for (const auto& [key, value] : fields.items())
    note(Note::Kind::kLeftOut, agent.name, fmt::format("`{}`: {}", key, code_in(value)));
  const std::string name = name_of(agent.name);
  out_.agents.emplace_back(name + ".yaml", flow_text(Json{{"apiVersion", "holdfast.dev/v1"},
                                                          {"kind", "Agent"},
                                                          {"metadata", {{"name", name}}},
                                                          {"spec", std::move(spec)}}));
  note(Note::Kind::kBecame, agent.name, fmt::format("the agent `{}`", name));
}

void Import::agents() {
  std::set<std::string> known;
  for (FoundAgent& one : agents_) {
    if (one.name.empty()) one.name = fmt::format("agent {}", one.line);
    for (int n = 2; !known.insert(name_of(one.name)).second; ++n)
      one.name = fmt::format("{} {}", one.name, n);
  }
  for (const FoundAgent& one : agents_) agent_file(one);
}

// `Runner.run(AGENT, ...)`, `runner.run(AGENT, ...)`, `run(AGENT, ...)`.
void Import::runs() {
  for (std::size_t i = 0; i + 2 < tokens_.size(); ++i) {
    const std::string& word = tokens_[i].text;
    if (tokens_[i].kind != Kind::kWord || (word != "run" && word != "run_sync" && word != "run_streamed") ||
        !is(i + 1, "("))
      continue;
    std::size_t first = i + 2;
    if (tokens_[first].text == "starting_agent" && is(first + 1, "=")) first += 2;
    const FoundAgent* agent = first < tokens_.size() ? find(tokens_[first].text) : nullptr;
    if (agent != nullptr) runs_.push_back(static_cast<std::size_t>(agent - agents_.data()));
  }
}

// Decisions of the code are not taken over: each is told.
void Import::control_flow() {
  static const std::set<std::string, std::less<>> kWords = {"if",  "elif",   "else", "while",
                                                            "for", "switch", "try"};
  static const std::set<std::string, std::less<>> kCalls = {
      "approval_request", "approvalRequest",       "runGuardrails",
      "run_guardrails",   "runAndApplyGuardrails", "run_and_apply_guardrails"};
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].kind != Kind::kWord) continue;
    const std::string& word = tokens_[i].text;
    const bool calls =
        kCalls.contains(word) && is(i + 1, "(") && !(i > 0 && (is(i - 1, "def") || is(i - 1, "function")));
    if (!kWords.contains(word) && !calls) continue;
    const std::size_t line_start = code_.rfind('\n', tokens_[i].start) + 1;
    std::string_view line = code_.substr(line_start, code_.find('\n', tokens_[i].start) - line_start);
    // What the SDK's exports check of each result.
    if (line.find("inalOutput") != std::string_view::npos && word == "if") continue;
    // Within a list: `[item for item in ...]`.
    if (word == "for" && line.find('[') < line.find("for ")) continue;
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    note(Note::Kind::kLeftOut, "", fmt::format("line {}: `{}`", tokens_[i].line, line));
  }
}

void Import::flow() {
  Json blocks = Json::array({Json{{"id", "begin"}, {"type", "start"}}});
  std::string before = "begin";
  std::map<std::string, int> used;
  for (const std::size_t at : runs_) {
    const std::string agent = name_of(agents_[at].name);
    std::string id = agent;
    std::ranges::replace(id, '-', '_');
    if (std::isdigit(static_cast<unsigned char>(id.front()))) id = "a_" + id;
    if (const int n = ++used[id]; n > 1 || id == "begin") id += fmt::format("_{}", n + 1);
    const std::string input = before == "begin" ? "{{ input.input_as_text }}" : "{{ blocks." + before + " }}";
    Json block = {{"id", id}, {"name", agents_[at].name}, {"type", "agent"}};
    block["needs"] = Json::array({before});
    block["with"] = {{"agent", agent}, {"arguments", {{"input", input}}}};
    blocks.push_back(std::move(block));
    note(Note::Kind::kBecame, agents_[at].name, fmt::format("block `{}` (agent)", id));
    before = id;
    ++out_.nodes;
  }
  if (runs_.size() > 1)
    note(Note::Kind::kCheck, "",
         "agents were given the whole conversation; here each is given what the one before it said, in the "
         "order of the file");
  Json spec = {{"input", {{"type", "object"}, {"required", Json::array({"input_as_text"})}}},
               {"blocks", std::move(blocks)}};
  out_.yaml = flow_text(Json{{"apiVersion", "holdfast.dev/v1"},
                             {"kind", "Flow"},
                             {"metadata", {{"name", out_.name}}},
                             {"spec", std::move(spec)}});
}

Result<ImportedFlow> Import::run() {
  definitions();
  if (agents_.empty())
    return fail(Code::kInvalidArgument,
                fmt::format("{}: there is no Agent(...) in it, and it is no export of n8n", source_));
  out_.name = flow_name_;
  for (std::size_t i = 0; out_.name.empty() && i + 2 < tokens_.size(); ++i) {
    if ((is(i, "trace") || is(i, "withTrace")) && is(i + 1, "(") && tokens_[i + 2].kind == Kind::kText)
      out_.name = name_of(tokens_[i + 2].text);
  }
  if (out_.name.empty()) out_.name = name_of(std::string_view(source_).substr(source_.rfind('/') + 1));
  agents();
  // A flow and an agent of one name are two things, and one file.
  for (const auto& [file, unused] : out_.agents) {
    if (file == out_.name + ".yaml") out_.name += "-flow";
  }
  runs();
  control_flow();
  if (!runs_.empty()) flow();
  if (runs_.empty())
    note(Note::Kind::kCheck, "", "nothing in it runs an agent: there is no flow, only agents");
  return std::move(out_);
}

}  // namespace

Result<ImportedFlow> import_agents_sdk(std::string_view code, std::string_view source,
                                       std::string_view name) {
  if (code.size() > kMaxSdkBytes)
    return fail(Code::kInvalidArgument,
                fmt::format("{}: {} bytes of code, at most {} are read", source, code.size(), kMaxSdkBytes));
  auto out = Import(code, source, std::string(name)).run();
  if (!out || out->yaml.empty()) return out;
  if (const auto flow = read_flow(out->yaml, out->name + ".yaml"); !flow)
    return fail(Code::kInvalidArgument,
                fmt::format("{}: the flow made of it is none; this is a fault of the import:\n{}", source,
                            flow.error().message()));
  return out;
}

}  // namespace holdfast::flows
