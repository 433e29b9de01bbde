// The flow around the nodes: its start, which block comes after which, and the report.

#include "intake/n8n.h"

#include <algorithm>
#include <cctype>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "intake/flow_text.h"
#include "intake/n8n_nodes.h"
#include "intake/n8n_workflow.h"
#include "language/flow.h"

namespace holdfast::flows {

namespace {

using Json = nlohmann::ordered_json;
using Note = ImportNote;

// What a node has besides its parameters, and where that went.
const std::set<std::string, std::less<>>& known_members() {
  static const std::set<std::string, std::less<>> kKnown = {
      "parameters",  "name",     "type",      "typeVersion", "position",
      "id",          "disabled", "notes",     "onError",     "continueOnFail",
      "retryOnFail", "maxTries", "webhookId", "notesInFlow", "waitBetweenTries",
      "credentials"};
  return kKnown;
}

std::string name_of_flow(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte))
      out += static_cast<char>(std::tolower(byte));
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  out.resize(std::min<std::size_t>(out.size(), 63));
  while (out.ends_with('-')) out.pop_back();
  return out.empty() ? "imported" : out;
}

class Import {
 public:
  Import(N8nWorkflow workflow, std::string name)
      : workflow_(std::move(workflow)), before_(workflow_.nodes.size()), sources_(workflow_.nodes.size()) {
    out_.name = name.empty() ? name_of_flow(workflow_.name) : std::move(name);
  }

  ImportedFlow run();

 private:
  void order();
  void triggers();
  void node(std::size_t at);
  void step(std::size_t at);
  Json placed(const N8nStep& step) const;
  Json needs_of(std::size_t at, bool& any);
  void options(N8nStep& step, Json& block);
  void leftovers(N8nStep& step);
  void of_workflow();
  std::string joined(const std::vector<std::string>& sources) const;
  std::vector<std::string> sources_of(std::size_t at) const;
  void note(Note::Kind kind, const std::string& of, std::string what) {
    out_.notes.push_back({kind, of, std::move(what)});
  }

  const N8nWorkflow workflow_;
  ImportedFlow out_;
  std::vector<std::size_t> order_;                 // nodes that are blocks, parents first
  std::vector<std::set<std::size_t>> before_;      // by node: those that lead to it
  std::vector<std::vector<std::string>> sources_;  // by node: JavaScript of what goes out of it
  std::map<std::size_t, std::vector<std::string>> outlets_;
  std::string begin_ = "begin";
  Json blocks_ = Json::array();
  Json unconnected_ = Json::array();
};

bool is_step(const N8nNode& node) {
  return node.reached && !node.trigger && !node.serves && node.kind != "stickyNote";
}

// Parents first, in the order of the file among those that could be next.
void Import::order() {
  std::vector<std::size_t> missing(workflow_.nodes.size());
  std::set<std::size_t> ready;
  std::vector<std::vector<std::size_t>> behind(workflow_.nodes.size());
  for (std::size_t i = 0; i < workflow_.nodes.size(); ++i) {
    const N8nNode& node = workflow_.nodes[i];
    if (!node.reached) continue;
    for (const N8nEdge& edge : node.in) behind[edge.from].push_back(i);
    missing[i] = node.in.size();
    if (node.in.empty()) ready.insert(i);
  }
  while (!ready.empty()) {
    const std::size_t at = *ready.begin();
    ready.erase(ready.begin());
    order_.push_back(at);
    for (const std::size_t next : behind[at]) {
      before_[next].insert(before_[at].begin(), before_[at].end());
      before_[next].insert(at);
      if (--missing[next] == 0) ready.insert(next);
    }
  }
}

std::string Import::joined(const std::vector<std::string>& sources) const {
  if (sources.empty()) return "input";
  if (sources.size() == 1) return sources.front();
  return fmt::format("({})", fmt::join(sources, " ?? "));
}

// What comes in, each once.
std::vector<std::string> Import::sources_of(std::size_t at) const {
  std::vector<std::string> out;
  for (const N8nEdge& edge : workflow_.nodes[at].in) {
    for (const std::string& one : sources_[edge.from]) {
      if (std::ranges::find(out, one) == out.end()) out.push_back(one);
    }
  }
  return out;
}

void Import::triggers() {
  std::size_t count = 0;
  for (const N8nNode& node : workflow_.nodes) {
    if (!node.trigger) continue;
    if (++count == 1) begin_ = node.id;
    note(Note::Kind::kBecame, node.name, fmt::format("the start, `{}`", begin_));
    if (node.kind == "webhook")
      note(Note::Kind::kCheck, node.name,
           "its `$json` had `body`, `query` and `headers`: start a run with an input that has what is read "
           "of them");
    else if (node.kind == "scheduleTrigger" || node.kind == "cron" || node.kind == "interval")
      note(Note::Kind::kCheck, node.name,
           fmt::format("holdfast schedule create starts it; n8n had {}", dump_json(node.parameters())));
    else if (const Json parameters = node.parameters(); !parameters.empty())
      note(Note::Kind::kCheck, node.name,
           fmt::format("whoever starts a run gives its input; n8n had {}", dump_json(parameters)));
  }
  if (count > 1)
    note(Note::Kind::kCheck, "",
         fmt::format("{} triggers became one start: its input must be what each of them gave", count));
  while (count == 0 && std::ranges::find(workflow_.nodes, begin_, &N8nNode::id) != workflow_.nodes.end())
    begin_ += '_';
  if (count == 0)
    note(Note::Kind::kCheck, "", "it has no trigger; a start was put before what nothing leads to");
  Json start = {{"id", begin_}, {"type", "start"}};
  blocks_.push_back(std::move(start));
}

// Whatever leads here: once one of them is met it runs, and it waits for all.
Json Import::needs_of(std::size_t at, bool& any) {
  Json out = Json::array();
  const N8nNode& node = workflow_.nodes[at];
  const auto add = [&](const std::string& need) {
    if (std::ranges::find(out, Json(need)) == out.end()) out.push_back(need);
  };
  for (const N8nEdge& edge : node.in) {
    const N8nNode& from = workflow_.nodes[edge.from];
    if (from.trigger) {
      add(begin_);
      continue;
    }
    const auto& outlets = outlets_[edge.from];
    const bool is_error = text_in(from.raw, "onError") == "continueErrorOutput" &&
                          edge.output == std::max<std::size_t>(outlets.size(), 1);
    std::string outlet = edge.output < outlets.size() ? outlets[edge.output] : "";
    if (is_error) {
      outlet = kError;
    } else if (edge.output >= std::max<std::size_t>(outlets.size(), 1)) {
      if (!outlets.empty()) outlet = outlets.back();
      note(Note::Kind::kCheck, node.name,
           fmt::format("it was behind output {} of `{}`, which has no such outlet here", edge.output + 1,
                       from.name));
    }
    add(outlet.empty() || outlet == "done" ? from.id : from.id + "." + outlet);
    if (is_on(from, "continueOnFail") || text_in(from.raw, "onError") == "continueRegularOutput")
      add(from.id + ".error");
  }
  if (out.empty()) out.push_back(begin_);
  any = out.size() > 1;
  if (any && node.kind != "merge" && node.in.size() > 1)
    note(Note::Kind::kCheck, node.name,
         "n8n runs it once for each way that leads here; here it runs once, behind all of them");
  return out;
}

Json Import::placed(const N8nStep& step) const {
  const N8nNode& node = step.node;
  Json out = {{"type", node.type}};
  if (const Json position = value_in(node.raw, "position"); !position.is_null()) out["position"] = position;
  if (const Json notes = value_in(node.raw, "notes"); notes.is_string()) out["notes"] = notes;
  // What was not understood keeps everything that it said.
  if (!step.understood) out["parameters"] = node.parameters();
  return out;
}

void Import::options(N8nStep& step, Json& block) {
  const N8nNode& node = step.node;
  if (is_on(node, "retryOnFail")) {
    const Json tries = value_in(node.raw, "maxTries");
    const Json wait = value_in(node.raw, "waitBetweenTries");
    if (step.type == "wait") {
      step.left_out.push_back("its retries: a wait makes no attempts");
    } else {
      const auto count =
          tries.is_number_unsigned() ? std::clamp<std::uint64_t>(tries.get<std::uint64_t>(), 1, 1000) : 3;
      const auto ms = wait.is_number_unsigned()
                          ? std::clamp<std::uint64_t>(wait.get<std::uint64_t>(), 1, 3'600'000)
                          : 1000;
      block["retry"] = {{"attempts", count}, {"initial", fmt::format("{}ms", ms)}, {"backoff", 1}};
    }
  }
  if (const Json credentials = value_in(node.raw, "credentials"); credentials.is_object()) {
    for (const auto& [type, one] : credentials.items())
      step.left_out.push_back(
          fmt::format("the credential `{}` ({}): secrets do not travel; set one with `holdfast secret set`",
                      text_in(one, "name"), type));
  }
}

void Import::leftovers(N8nStep& step) {
  for (const auto& [key, value] : step.node.raw.items()) {
    if (!known_members().contains(key) && !value.is_null() && value != Json(false))
      step.left_out.push_back(fmt::format("`{}: {}`", key, dump_json(value)));
  }
  if (!step.understood) return;
  for (const auto& [key, value] : step.parameters.rest().items())
    step.left_out.push_back(fmt::format("the parameter `{}`: {}", key, dump_json(value)));
}

void Import::step(std::size_t at) {
  const N8nNode& node = workflow_.nodes[at];
  const std::vector<std::string> incoming = sources_of(at);
  N8nNames names;
  names.json = joined(incoming);
  names.workflow = workflow_.name;
  names.node = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = workflow_.find(name);
    if (!found || !before_[at].contains(*found)) return std::nullopt;
    return joined(sources_[*found]);
  };
  N8nStep step{.workflow = workflow_,
               .node = node,
               .names = names,
               .parameters = N8nParameters(node.parameters()),
               .type = {},
               .with = {},
               .outlets = {},
               .check = {},
               .left_out = {},
               .agents = {}};
  if (is_on(node, "disabled")) {
    step.type = "transform";
    step.with = {{"value", "{{ " + names.json + " }}"}};
    step.understood = false;
    step.check.push_back("it is disabled in n8n: what comes in goes out");
  } else if (const N8nMapping map = mapping_of(node.type)) {
    map(step);
  } else {
    step.give_up("there is no counterpart of it: write this block, or call its API by a block of type http");
  }
  outlets_[at] = step.outlets;
  sources_[at] = passes_through(node) && mapping_of(node.type)
                     ? incoming
                     : std::vector<std::string>{"blocks." + node.id};
  Json block = {{"id", node.id}, {"name", node.name}, {"type", step.type}};
  bool any = false;
  block["needs"] = needs_of(at, any);
  if (any) block["join"] = "any";
  options(step, block);
  leftovers(step);
  if (!step.with.is_null()) block["with"] = step.with;
  block["x-n8n"] = placed(step);
  blocks_.push_back(std::move(block));
  ++out_.nodes;
  if (!step.understood && !is_on(node, "disabled")) ++out_.left_out;
  note(Note::Kind::kBecame, node.name,
       step.understood ? fmt::format("block `{}` ({})", node.id, step.type)
                       : fmt::format("block `{}`, which {}", node.id,
                                     is_on(node, "disabled") ? "does nothing" : "fails and says so"));
  for (std::string& one : step.check) note(Note::Kind::kCheck, node.name, std::move(one));
  for (std::string& one : step.left_out) note(Note::Kind::kLeftOut, node.name, std::move(one));
  for (auto& file : step.agents) out_.agents.push_back(std::move(file));
}

void Import::node(std::size_t at) {
  const N8nNode& node = workflow_.nodes[at];
  if (node.trigger) {
    sources_[at] = {"input"};
  } else if (is_step(node)) {
    step(at);
  }
}

void Import::of_workflow() {
  for (const N8nEdge& edge : workflow_.back)
    note(Note::Kind::kLeftOut, workflow_.nodes[edge.from].name,
         fmt::format("the way back to `{}`: a flow has no circles; repeat with a block of type loop or map",
                     workflow_.nodes[edge.to].name));
  for (const std::string& name : workflow_.broken)
    note(Note::Kind::kLeftOut, "", fmt::format("a connection of `{}`, which is no node", name));
  for (const N8nNode& node : workflow_.nodes) {
    if (node.kind == "stickyNote") {
      note(Note::Kind::kLeftOut, node.name,
           fmt::format("a note on the canvas: {}", dump_json(value_in(node.parameters(), "content"))));
    } else if (!node.reached && !node.trigger && !node.serves) {
      note(Note::Kind::kLeftOut, node.name, "nothing leads to it; it is kept in `x-n8n-unconnected`");
      unconnected_.push_back(node.raw);
    }
  }
  for (const auto& [key, value] : workflow_.raw.items()) {
    static const std::set<std::string, std::less<>> kKnown = {"name", "nodes", "connections"};
    // Of n8n's own bookkeeping.
    static const std::set<std::string, std::less<>> kBookkeeping = {
        "id",     "versionId", "meta",   "createdAt",    "updatedAt",
        "active", "tags",      "shared", "triggerCount", "isArchived"};
    if (kKnown.contains(key) || kBookkeeping.contains(key) || value.is_null() ||
        (value.is_structured() && value.empty()))
      continue;
    note(Note::Kind::kLeftOut, "", fmt::format("`{}`: {}", key, dump_json(value)));
  }
  note(Note::Kind::kCheck, "",
       "n8n runs a node once for each item of a list, a block runs once: where lists go through, use `map`");
}

ImportedFlow Import::run() {
  triggers();
  order();
  for (const std::size_t at : order_) node(at);
  of_workflow();
  Json metadata = {{"name", out_.name}};
  if (!workflow_.name.empty()) metadata["description"] = workflow_.name;
  Json spec = {{"blocks", blocks_}};
  if (!unconnected_.empty()) spec["x-n8n-unconnected"] = unconnected_;
  out_.yaml = flow_text(
      Json{{"apiVersion", "holdfast.dev/v1"}, {"kind", "Flow"}, {"metadata", metadata}, {"spec", spec}});
  return std::move(out_);
}

}  // namespace

Result<ImportedFlow> import_n8n(std::string_view text, std::string_view source, std::string_view name) {
  auto workflow = read_n8n(text, source);
  if (!workflow) return fail(workflow.error());
  ImportedFlow out = Import(*std::move(workflow), std::string(name)).run();
  // What is written here can be read and planned.
  if (const auto flow = read_flow(out.yaml, out.name + ".yaml"); !flow)
    return fail(Code::kInvalidArgument,
                fmt::format("{}: the flow made of it is none; this is a fault of the import:\n{}", source,
                            flow.error().message()));
  return out;
}

}  // namespace holdfast::flows
