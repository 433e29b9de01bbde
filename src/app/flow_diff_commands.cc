// flow diff.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/api_session.h"
#include "app/definition_file.h"
#include "app/exit_code.h"
#include "app/flow_file_commands.h"
#include "app/input_file.h"
#include "app/output.h"
#include "app/printable.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/url.h"
#include "block/program.h"
#include "explain/changes.h"
#include "protocol/agent_reference.h"
#include "spec/yaml_documents.h"

namespace holdfast::app {

namespace {

using Ordered = nlohmann::ordered_json;

// One side: as its file says it, and in canonical form if it can be run.
struct FlowSide {
  std::string title;
  std::string name;
  flows::FlowVersion said;
  std::optional<flows::FlowVersion> canonical;
};

Result<flows::FlowVersion> version_of(const std::string& text, const std::string& source) {
  auto flow = flows::read_flow(text, source);
  if (!flow) return fail(flow.error());
  spec::YamlProblems problems(source);
  std::size_t nodes_left = spec::kMaxYamlNodes;
  flows::FlowVersion out;
  out.flow = *std::move(flow);
  out.document = spec::yaml_to_json(spec::yaml_document(text), problems, nodes_left);
  if (!problems.empty()) return fail(problems.status());
  return out;
}

Result<FlowSide> side_of_text(const std::string& text, const std::string& source, const std::string& folder) {
  auto said = version_of(text, source);
  if (!said) return fail(said.error());
  FlowSide out;
  out.name = said->flow.name;
  out.title = source;
  out.said = *std::move(said);
  if (const auto program = flows::read_program(text, source, folder)) {
    const std::string canonical = flows::canonical_json(*program);
    out.title = fmt::format("{} ({})", source, sha256_hex(canonical).substr(0, 12));
    auto version = version_of(canonical, source);
    if (!version) return fail(version.error());
    out.canonical = *std::move(version);
  }
  return out;
}

std::expected<FlowSide, int> side_of_file(const std::string& file) {
  const auto text = read_file(file, flows::kMaxFlowBytes);
  if (!text) return std::unexpected(refuse(text.error()));
  auto side = side_of_text(*text, file, folder_of(file));
  if (!side) return std::unexpected(refuse(side.error()));
  return *std::move(side);
}

std::expected<FlowSide, int> side_of_server(ApiSession& api, const std::string& flow) {
  auto reference = protocol::parse_agent_reference(flow);
  if (!reference) return std::unexpected(refuse(reference.error()));
  const std::string path = reference->version.empty()
                               ? "/api/v1/flows/" + percent_encode(reference->agent)
                               : fmt::format("/api/v1/agents/{}/versions/{}",
                                             percent_encode(protocol::agent_of_flow(reference->agent)),
                                             percent_encode(reference->version));
  auto answer = api.get(path);
  if (!answer) return std::unexpected(answer.error());
  auto side = side_of_text(dump_json((*answer)["definition"]), flow, "/");
  if (!side) return std::unexpected(refuse(side.error()));
  return *std::move(side);
}

std::expected<FlowSide, int> side_of(ApiSession& api, const std::string& what) {
  return names_file(what) ? side_of_file(what) : side_of_server(api, what);
}

std::string place_text(const Ordered& place) {
  const Ordered& with = place["with"];
  if (with.empty()) return fmt::format("alone ({})", place.value("why", ""));
  std::string out;
  for (const Ordered& one : with) out += (out.empty() ? "with " : ", ") + one.get<std::string>();
  return out;
}

void print_change(const Ordered& change, std::string_view indent) {
  const std::string kind = change.value("kind", "");
  const std::string path = change.value("path", "");
  const auto told = [&](const char* key) { return dump_json(change.value(key, Ordered())); };
  if (kind == "added")
    return print_line(
        coloured(Colour::kGreen, one_line(fmt::format("{}+ {}: {}", indent, path, told("after")))));
  if (kind == "removed")
    return print_line(
        coloured(Colour::kRed, one_line(fmt::format("{}- {}: {}", indent, path, told("before")))));
  if (kind == "reordered")
    return print_line(one_line(fmt::format("{}~ {}: the order is {}", indent, path, told("after"))));
  if (!change.contains("lines"))
    return print_line(one_line(fmt::format("{}~ {}: {} -> {}", indent, path, told("before"), told("after"))));
  print_line(one_line(fmt::format("{}~ {}:", indent, path)));
  for (const Ordered& line : change["lines"])
    print_line(std::string(indent) + "    " + one_line(line.get<std::string>()));
}

void print_block(const Ordered& row) {
  const std::string what = row.value("what", "");
  const std::string head = fmt::format("{} ({})", row.value("block", ""), row.value("type", ""));
  if (what == "added")
    return print_line(
        coloured(Colour::kGreen, one_line(fmt::format("+ {}: runs {}", head, place_text(row["after"])))));
  if (what == "removed")
    return print_line(
        coloured(Colour::kRed, one_line(fmt::format("- {}: ran {}", head, place_text(row["before"])))));
  print_line(one_line(what == "changed" ? "~ " + head : "= " + head + ": says the same"));
  for (const Ordered& change : row.value("changes", Ordered::array())) print_change(change, "    ");
  if (row["before"]["with"] != row["after"]["with"])
    print_line(
        one_line(fmt::format("    ran {}, runs {}", place_text(row["before"]), place_text(row["after"]))));
}

void print_changes(const Ordered& told) {
  for (const Ordered& change : told["flow"]) print_change(change, "");
  for (const Ordered& row : told["blocks"]) print_block(row);
  const Ordered& before = told["plan"]["before"];
  const Ordered& after = told["plan"]["after"];
  print_line(fmt::format(
      "plan: {} -> {}, activities {} -> {}, critical path {} ms -> {} ms, Temporal actions {} -> {}",
      before.value("planner", ""), after.value("planner", ""), dump_json(before["activities"]),
      dump_json(after["activities"]), dump_json(before["latency_ms"]), dump_json(after["latency_ms"]),
      dump_json(before["temporal_actions"]), dump_json(after["temporal_actions"])));
}

}  // namespace

int diff_flows(const FlowDiffOptions& options) {
  ApiSession api(options.api);
  auto one = side_of(api, options.before);
  if (!one) return one.error();
  // A file alone: what applying it would change.
  const bool alone = !options.after;
  auto two = alone ? side_of_server(api, one->name) : side_of(api, *options.after);
  if (!two) return two.error();
  if (alone) std::swap(*one, *two);
  // Defaults are no changes; a flow that can only be planned has no canonical form.
  const bool canonical = one->canonical && two->canonical;
  const flows::FlowVersion& before = canonical ? *one->canonical : one->said;
  const flows::FlowVersion& after = canonical ? *two->canonical : two->said;
  const Ordered told = flows::flow_changes(before, after, {});
  if (options.api.json) {
    Ordered out = {{"from", one->title}, {"to", two->title}};
    out.update(told);
    print_line(dump_json(out));
    return kExitOk;
  }
  const std::size_t count = told["flow"].size() + told["blocks"].size();
  complain(fmt::format("{} -> {}: {}", one->title, two->title,
                       count == 0 ? "no difference" : fmt::format("{} changes", count)));
  if (count > 0) print_changes(told);
  return kExitOk;
}

}  // namespace holdfast::app
