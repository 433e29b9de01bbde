// A flow file into a Flow: one function per part of the file, in the order of the file.

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "definition/model_section.h"
#include "definition/names.h"
#include "language/flow.h"
#include "language/flow_checks.h"
#include "spec/json_schema.h"
#include "spec/written_order.h"
#include "spec/yaml_documents.h"

namespace holdfast::flows {

namespace {

using spec::MapReader;
using spec::YamlProblems;
using std::chrono::hours;
using std::chrono::milliseconds;
using Json = nlohmann::json;

constexpr std::size_t kMaxId = 64;
constexpr hours kLongestTimeout(24 * 3660);
constexpr hours kDeadline(24);
constexpr hours kLongestDeadline(24 * 366);

// Ids are names in JavaScript, too: a block's result is read as `id.field`.
bool is_id(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && text.size() <= kMaxId && letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || digit(c); });
}

// Whatever begins so belongs to others: it is kept, and means nothing here.
void allow_extensions(MapReader& in, const YAML::Node& node) {
  if (!node.IsMap()) return;
  for (const auto& pair : node) {
    if (pair.first.IsScalar() && pair.first.Scalar().starts_with("x-")) in.child(pair.first.Scalar());
  }
}

void read_type(MapReader& in, FlowBlock& out) {
  std::vector<std::string_view> names;
  for (const BlockType& type : block_types()) names.push_back(type.name);
  if (!in.has("type")) return in.missing("type", "such as http, sql, model, code or human");
  if (const auto type = in.choice("type", names)) out.type = &block_types()[*type];
}

void read_needs(MapReader& in, FlowBlock& out, BlockMarks& marks) {
  for (const YAML::Node& node : in.list("needs", kMaxNeeds)) {
    if (!node.IsScalar()) {
      in.problems().add(node.Mark(), fmt::format("`{}.needs` holds names of blocks", in.path()));
      continue;
    }
    const std::string& text = node.Scalar();
    const std::size_t dot = text.find('.');
    Need need;
    need.block = text.substr(0, dot);
    if (dot != std::string::npos) need.outlet = text.substr(dot + 1);
    out.needs.push_back(std::move(need));
    marks.needs.push_back(node.Mark());
  }
  out.any = in.choice("join", {"all", "any"}).value_or(0) == 1;
}

// The outlets of a block that decides are the names of its rules, and of what is taken if none matches.
void read_outlets(MapReader& in, FlowBlock& out) {
  out.outlets = {std::string(kDone)};
  if (out.type != nullptr && out.type->decides) {
    out.outlets.clear();
    const std::string list(out.type->names);
    const Json rules = out.with.is_object() ? out.with.value(list, Json()) : Json();
    if (!rules.is_array() || rules.empty()) {
      const std::string_view what = list == "rules" ? "when" : "is";
      return in.problem("with", fmt::format("needs `{}`, a list of `name` and `{}`", list, what));
    }
    for (const Json& rule : rules) {
      const std::string name =
          rule.is_object() && rule.contains("name") && rule["name"].is_string() ? rule["name"] : "";
      if (!is_id(name) || name == kError || name == kDone)
        in.problem("with", fmt::format("each of `{}` has a `name`: letters, digits and `_`, and not done or "
                                       "error",
                                       list));
      else if (std::ranges::find(out.outlets, name) != out.outlets.end())
        in.problem("with", fmt::format("there are two {} `{}`; names must differ", list, name));
      else
        out.outlets.push_back(name);
    }
    out.outlets.emplace_back("otherwise");
  }
  out.outlets.emplace_back(kError);
}

// `true`, or how long at most.
void read_async(MapReader& in, FlowBlock& out) {
  if (!in.has("async") || !in.child("async").IsMap()) {
    out.completes_outside = in.boolean("async", false);
    if (out.completes_outside) out.deadline = kDeadline;
    return;
  }
  MapReader async = in.map("async");
  out.completes_outside = true;
  out.deadline = async.duration("deadline", kDeadline, milliseconds(100), kLongestDeadline);
  async.finish();
}

// Ids of blocks in bodies, each with the block that it is in.
struct BodyIds {
  struct One {
    std::string id;
    std::string of;
    YAML::Mark mark;
  };
  std::vector<One> ids;
};

// What a model is to fill in or a person to answer keeps the order of its fields.
Json read_with(MapReader& in) {
  Json out = in.json("with");
  if (!out.is_object()) return out;
  const YAML::Node written = in.child("with");
  if (out.contains("output_schema")) spec::keep_order(out["output_schema"], written["output_schema"]);
  if (out.contains("human") && out["human"].contains("form"))
    spec::keep_order(out["human"]["form"], written["human"]["form"]);
  return out;
}

FlowBlock read_block(YamlProblems& problems, const YAML::Node& node, const std::string& path,
                     BlockMarks& marks, BodyIds* bodies);

// A round is given what it is about, and comes to what its last block does.
void check_in_body(MapReader& in, const FlowBlock& block) {
  if (block.type == nullptr) return;
  const bool answers = block.type->name == "respond";
  if (!answers && block.type->place != Place::kDedicated) return;
  const std::string_view instead =
      block.type->has_body ? "put it into a flow of its own, and call that by a block of type `flow`"
                           : "it is run many times; put it before or behind";
  in.problem("type", fmt::format("block `{}`: a body has no `{}`: {}", block.id, block.type->name, instead));
}

void read_body(MapReader& in, FlowBlock& out, BodyIds* bodies) {
  if (!in.has("blocks")) return in.missing("blocks", "what is done each time");
  if (bodies == nullptr) {  // it stands in a body itself, which was told
    in.child("blocks");
    return;
  }
  auto body = std::make_shared<Flow>();
  body->is_body = true;
  std::vector<BlockMarks> marks;
  for (const YAML::Node& node : in.list("blocks", kMaxBodyBlocks)) {
    if (bodies->ids.size() >= kMaxBlocks)  // aliases make many of few
      return in.problem("blocks", fmt::format("all bodies together have {} blocks at most", kMaxBlocks));
    const std::string path = fmt::format("{}.blocks[{}]", in.path(), body->blocks.size());
    body->blocks.push_back(read_block(in.problems(), node, path, marks.emplace_back(), nullptr));
    const FlowBlock& block = body->blocks.back();
    bodies->ids.push_back({block.id, out.id, marks.back().block});
  }
  if (body->blocks.empty()) in.problem("blocks", "is empty; say what is done each time");
  check_graph(*body, marks, in.problems());
  out.body = std::move(body);
}

// A block is known by its id in the whole file: expressions of a body see the blocks around it.
void check_ids(const Flow& flow, const BodyIds& bodies, YamlProblems& problems) {
  std::map<std::string_view, std::string_view> known;
  for (const FlowBlock& block : flow.blocks) known.emplace(block.id, "");
  for (const BodyIds::One& one : bodies.ids) {
    const auto [at, is_new] = known.emplace(one.id, one.of);
    if (is_new || one.id.empty() || at->second == one.of) continue;
    problems.add(one.mark, fmt::format("block `{}`: another one is called so already; give each its own id, "
                                       "in bodies, too",
                                       one.id));
  }
}

FlowBlock read_block(YamlProblems& problems, const YAML::Node& node, const std::string& path,
                     BlockMarks& marks, BodyIds* bodies) {
  MapReader in(problems, node, path);
  FlowBlock out;
  marks.block = node.Mark();
  out.id = in.required_text("id");
  if (!out.id.empty() && !is_id(out.id))
    in.problem("id", "begins with a letter and holds letters, digits and `_`, 64 at most");
  out.name = in.text("name");
  read_type(in, out);
  read_needs(in, out, marks);
  if (in.has("retry")) out.retry = agent::parse_retry(in, {});
  if (in.has("timeout")) out.timeout = in.duration("timeout", {}, milliseconds(10), kLongestTimeout);
  read_async(in, out);
  if (in.has("takes")) out.takes = in.duration("takes", {}, milliseconds(0), hours(24));
  out.with = read_with(in);
  if (!out.with.is_null() && !out.with.is_object()) in.problem("with", "must be a mapping");
  in.child("compensate");  // as `with`: by its type
  read_outlets(in, out);
  if (bodies == nullptr) check_in_body(in, out);
  if (out.type != nullptr && out.type->has_body) read_body(in, out, bodies);
  allow_extensions(in, node);
  in.finish();
  return out;
}

void read_head(MapReader& file, Flow& out) {
  const std::string version = file.required_text("apiVersion");
  if (!version.empty() && version != "holdfast.dev/v1")
    file.problem("apiVersion",
                 fmt::format("`{}` is not known to this version; use holdfast.dev/v1", version));
  const std::string kind = file.required_text("kind");
  if (!kind.empty() && kind != "Flow") file.problem("kind", fmt::format("`{}` is not known; use Flow", kind));
  if (!file.has("metadata")) file.missing("metadata", "with `name`");
  MapReader metadata = file.map("metadata");
  if (file.has("metadata")) out.name = metadata.required_text("name");
  if (!out.name.empty() && !agent::is_agent_name(out.name))
    metadata.problem("name", "may hold lower-case letters, digits and `-`, 63 at most, for example dispute");
  out.description = metadata.text("description");
  out.team = metadata.text("team");
  if (!out.team.empty() && !agent::is_team_name(out.team))
    metadata.problem("team", "has 1 to 63 letters, digits or . _ -, for example payments");
  allow_extensions(metadata, file.child("metadata"));
  metadata.finish();
}

void read_document(YamlProblems& problems, const YAML::Node& root, Flow& out) {
  MapReader file(problems, root, "");
  read_head(file, out);
  if (!file.has("spec")) file.missing("spec", "with `blocks`");
  MapReader spec = file.map("spec");
  out.input = spec.schema("input");
  if (!out.input.is_null()) {
    if (auto bad = spec::check_schema(out.input)) spec.problem("input", *bad);
  }
  static const std::vector<std::string_view> kPlanners = {"V1", "V2", "V3", "V4"};
  if (auto planner = spec.choice("planner", kPlanners)) out.planner = kPlanners[*planner];
  std::vector<BlockMarks> marks;
  BodyIds bodies;
  for (const YAML::Node& node : spec.list("blocks", kMaxBlocks)) {
    const std::string path = fmt::format("spec.blocks[{}]", out.blocks.size());
    out.blocks.push_back(read_block(problems, node, path, marks.emplace_back(), &bodies));
  }
  if (file.has("spec") && out.blocks.empty()) spec.missing("blocks", "the first of type `start`");
  allow_extensions(spec, file.child("spec"));
  spec.finish();
  allow_extensions(file, root);
  file.finish();
  check_graph(out, marks, problems);
  check_ids(out, bodies, problems);
}

}  // namespace

Result<Flow> read_flow(std::string_view text, std::string_view source) {
  if (text.size() > kMaxFlowBytes) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: {} bytes, at most {} are allowed; keep data out of the flow", source,
                            text.size(), kMaxFlowBytes));
  }
  YamlProblems problems(source);
  Flow out;
  try {
    const std::vector<YAML::Node> documents = spec::yaml_documents(std::string(text));
    if (documents.empty() || documents.front().IsNull()) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("{}:1:1: the file is empty; start with `apiVersion: holdfast.dev/v1` and `kind: Flow`",
                      source));
    }
    for (std::size_t i = 1; i < documents.size(); ++i) {
      if (!documents[i].IsNull())
        problems.add(documents[i].Mark(), "a second document (after `---`); a file holds one flow");
    }
    read_document(problems, documents.front(), out);
  } catch (const YAML::Exception& broken) {
    problems.add(broken.mark, fmt::format("broken YAML: {}", broken.msg));
  }
  if (!problems.empty()) return fail(problems.status());
  return out;
}

}  // namespace holdfast::flows
