// A file of cases, read strictly: one function per part of the file.

#include "trial/cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "spec/yaml_documents.h"
#include "spec/yaml_reader.h"

namespace holdfast::flows {

namespace {

using spec::MapReader;
using spec::YamlProblems;

class CaseReader {
 public:
  CaseReader(const Program& program, YamlProblems& problems) : program_(program), problems_(problems) {
    for (const FlowBlock& block : program.flow.blocks) ids_.push_back(block.id);
  }

  std::map<std::string, Pinned> pinned(MapReader& parent);
  TrialCase one(const YAML::Node& node, const std::string& path);

 private:
  // Calls `see(block, its entry)` for each member that names a block.
  template <typename See>
  void each_block(MapReader& parent, std::string_view key, const See& see);
  std::optional<std::size_t> block_of(const std::string& id) const;
  Pinned pin(MapReader& in, std::size_t block);
  Expected expected(MapReader& parent);
  void expected_error(MapReader& in, Expected& out);

  const Program& program_;
  YamlProblems& problems_;
  std::vector<std::string> ids_;
};

std::optional<std::size_t> CaseReader::block_of(const std::string& id) const {
  const auto at = std::ranges::find(ids_, id);
  if (at == ids_.end()) return std::nullopt;
  return static_cast<std::size_t>(at - ids_.begin());
}

template <typename See>
void CaseReader::each_block(MapReader& parent, std::string_view key, const See& see) {
  const YAML::Node node = parent.child(key);
  MapReader in = parent.map(key);
  if (!node.IsDefined() || !node.IsMap()) return;
  for (const auto& pair : node) {
    if (!pair.first.IsScalar()) continue;
    const std::string& id = pair.first.Scalar();
    in.child(id);
    if (const auto block = block_of(id)) {
      see(*block, in, id);
      continue;
    }
    const std::string_view near = spec::nearest_name(id, ids_);
    problems_.add(pair.first.Mark(),
                  fmt::format("`{}` is no block of the flow{}", id,
                              near.empty() ? "" : fmt::format("; did you mean `{}`?", near)));
  }
}

Pinned CaseReader::pin(MapReader& in, std::size_t block) {
  Pinned out;
  const FlowBlock& spec = program_.flow.blocks[block];
  if (in.has("error") && (in.has("value") || in.has("outlet")))
    in.problem("error", "a block that failed has neither `value` nor `outlet`");
  if (in.has("error")) {
    MapReader error = in.map("error");
    out.error = BlockFailure{error.text("type", "ToolError"), error.text("message", "pinned")};
    error.finish();
  }
  out.outlet = in.text("outlet", spec.outlets.front());
  if (std::ranges::find(spec.outlets, out.outlet) == spec.outlets.end() || out.outlet == kError)
    in.problem("outlet", fmt::format("`{}` has no outlet `{}` to be pinned to; say `error` for a failure",
                                     spec.id, out.outlet));
  if (spec.type->decides && !in.has("outlet") && !in.has("error"))
    in.missing("outlet", "one that it decides between");
  out.value = dump_json(in.has("value")      ? in.json("value")
                        : spec.type->decides ? Json{{"outlet", out.outlet}}
                                             : Json());
  in.finish();
  return out;
}

std::map<std::string, Pinned> CaseReader::pinned(MapReader& parent) {
  std::map<std::string, Pinned> out;
  each_block(parent, "pinned", [&](std::size_t block, MapReader& in, const std::string& id) {
    MapReader entry = in.map(id);
    out[id] = pin(entry, block);
  });
  return out;
}

void CaseReader::expected_error(MapReader& in, Expected& out) {
  MapReader error = in.map("error");
  const std::string id = error.required_text("block");
  if (const auto block = block_of(id))
    out.failed_block = *block;
  else if (!id.empty())
    error.problem("block", fmt::format("`{}` is no block of the flow", id));
  out.error_type = error.text("type");
  out.error_says = error.text("says");
  error.finish();
}

Expected CaseReader::expected(MapReader& parent) {
  Expected out;
  MapReader in = parent.map("expect");
  each_block(in, "outlets", [&](std::size_t block, MapReader& of, const std::string& id) {
    const std::string outlet = of.text(id);
    const auto& outlets = program_.flow.blocks[block].outlets;
    if (outlet == "skipped") {
      out.outlets[block] = protocol::kFlowSkipped;
    } else if (std::ranges::find(outlets, outlet) == outlets.end()) {
      of.problem(id, fmt::format("`{}` has no outlet `{}`; it has {}, or is skipped", id, outlet,
                                 fmt::join(outlets, ", ")));
    } else {
      out.outlets[block] = outlet;
    }
  });
  each_block(in, "results", [&](std::size_t block, MapReader& of, const std::string& id) {
    out.results[block] = of.json(id);
  });
  each_block(in, "arguments", [&](std::size_t block, MapReader& of, const std::string& id) {
    if (!program_.blocks[block].tool) of.problem(id, "this block calls nothing; say `results`");
    out.arguments[block] = of.json(id);
  });
  if (in.has("output")) out.output = in.json("output");
  if (in.has("error")) expected_error(in, out);
  if (out.output && out.failed_block) in.problem("output", "a run that fails has none");
  in.finish();
  return out;
}

TrialCase CaseReader::one(const YAML::Node& node, const std::string& path) {
  MapReader in(problems_, node, path);
  TrialCase out;
  out.name = in.required_text("name");
  if (in.has("input")) out.in.input = dump_json(in.json("input"));
  out.in.pinned = pinned(in);
  out.expect = expected(in);
  in.finish();
  return out;
}

// What can be read of the file goes to `see`; OK, or every mistake.
template <typename See>
Status read_file_of(std::string_view text, std::string_view source, const See& see) {
  if (text.size() > kMaxFlowBytes)
    return {Code::kInvalidArgument,
            fmt::format("{}: {} bytes, at most {} are allowed", source, text.size(), kMaxFlowBytes)};
  YamlProblems problems(source);
  try {
    const std::vector<YAML::Node> documents = spec::yaml_documents(std::string(text));
    if (documents.size() > 1) problems.add(documents[1].Mark(), "a second document (after `---`)");
    if (!documents.empty()) see(problems, documents.front());
  } catch (const YAML::Exception& broken) {
    problems.add(broken.mark, fmt::format("broken YAML: {}", broken.msg));
  }
  return problems.status();
}

}  // namespace

Result<std::vector<TrialCase>> read_cases(std::string_view text, std::string_view source,
                                          const Program& program) {
  std::vector<TrialCase> out;
  Status status = read_file_of(text, source, [&](YamlProblems& problems, const YAML::Node& root) {
    MapReader file(problems, root, "");
    if (!file.has("tests")) file.missing("tests", "the list of cases, each with `name`");
    CaseReader reader(program, problems);
    std::set<std::string> names;
    for (const YAML::Node& node : file.list("tests", kMaxCases)) {
      out.push_back(reader.one(node, fmt::format("tests[{}]", out.size())));
      if (!names.insert(out.back().name).second && !out.back().name.empty())
        problems.add(node.Mark(),
                     fmt::format("there are two cases `{}`; names must differ", out.back().name));
    }
    if (file.has("tests") && out.empty()) file.problem("tests", "holds no case");
    file.finish();
  });
  if (!status.ok()) return fail(std::move(status));
  if (out.empty())
    return fail(Code::kInvalidArgument, fmt::format("{}: it holds no case under `tests`", source));
  return out;
}

Result<std::map<std::string, Pinned>> read_pinned(std::string_view text, std::string_view source,
                                                  const Program& program, std::string_view of_case) {
  if (!of_case.empty()) {
    auto cases = read_cases(text, source, program);
    if (!cases) return fail(cases.error());
    for (TrialCase& one : *cases) {
      if (one.name == of_case) return std::move(one.in.pinned);
    }
    return fail(Code::kNotFound, fmt::format("{} has no case `{}`", source, of_case));
  }
  std::map<std::string, Pinned> out;
  Status status = read_file_of(text, source, [&](YamlProblems& problems, const YAML::Node& root) {
    MapReader file(problems, root, "");
    out = CaseReader(program, problems).pinned(file);
    file.finish();
  });
  if (!status.ok()) return fail(std::move(status));
  return out;
}

}  // namespace holdfast::flows
