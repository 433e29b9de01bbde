#include "intake/n8n_workflow.h"

#include <algorithm>
#include <cctype>
#include <functional>

#include <fmt/format.h>

#include "base/json.h"

namespace holdfast::flows {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxId = 60;  // with a number behind it still one

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string id_of(std::string_view name, std::set<std::string>& known) {
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte)) {
      out += static_cast<char>(std::tolower(byte));
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
  }
  while (out.ends_with('_')) out.pop_back();
  if (out.empty() || std::isdigit(static_cast<unsigned char>(out.front()))) out = "n_" + out;
  out.resize(std::min(out.size(), kMaxId));
  std::string unique = out;
  for (int n = 2; !known.insert(unique).second; ++n) unique = fmt::format("{}_{}", out, n);
  return unique;
}

bool is_trigger(const std::string& kind) {
  static const std::set<std::string, std::less<>> kTriggers = {"start", "webhook", "cron", "interval"};
  return kTriggers.contains(kind) || kind.ends_with("Trigger");
}

N8nNode node_of(const Json& raw, std::set<std::string>& ids) {
  N8nNode out;
  out.raw = raw;
  out.name = text_of(raw, "name");
  out.type = text_of(raw, "type");
  out.kind = out.type.substr(out.type.rfind('.') == std::string::npos ? 0 : out.type.rfind('.') + 1);
  out.trigger = is_trigger(out.kind);
  if (out.kind != "stickyNote") out.id = id_of(out.name, ids);
  return out;
}

class Wiring {
 public:
  explicit Wiring(N8nWorkflow& out) : out_(out), edges_(out.nodes.size()) {}

  void read(const Json& connections);
  void order();

 private:
  void outputs(std::size_t from, const std::string& channel, const Json& outputs);
  void walk(std::size_t from);

  N8nWorkflow& out_;
  std::vector<std::vector<N8nEdge>> edges_;  // of `main`, by their beginning
  std::vector<int> seen_;                    // 0: not yet, 1: on the way here, 2: done
};

void Wiring::read(const Json& connections) {
  if (!connections.is_object()) return;
  for (const auto& [name, channels] : connections.items()) {
    const auto from = out_.find(name);
    if (!from) {
      out_.broken.push_back(name);
      continue;
    }
    if (!channels.is_object()) continue;
    for (const auto& [channel, outputs] : channels.items()) this->outputs(*from, channel, outputs);
  }
}

void Wiring::outputs(std::size_t from, const std::string& channel, const Json& outputs) {
  if (!outputs.is_array()) return;
  std::size_t output = 0;
  for (const Json& targets : outputs) {
    for (const Json& target : targets.is_array() ? targets : Json::array()) {
      const std::string name = target.is_object() ? text_of(target, "node") : "";
      const auto to = out_.find(name);
      if (!to) {
        out_.broken.push_back(name);
      } else if (channel == "main") {
        edges_[from].push_back({from, output, *to});
      } else {
        out_.nodes[from].serves = true;
        out_.nodes[*to].parts.push_back(from);
      }
    }
    ++output;
  }
}

// Depth first, from the triggers on: an edge to what is on the way here closes a circle.
void Wiring::walk(std::size_t from) {
  std::vector<std::pair<std::size_t, std::size_t>> way = {{from, 0}};
  seen_[from] = 1;
  while (!way.empty()) {
    auto& [node, next] = way.back();
    if (next == edges_[node].size()) {
      seen_[node] = 2;
      way.pop_back();
      continue;
    }
    const N8nEdge edge = edges_[node][next++];
    if (seen_[edge.to] == 1) {
      out_.back.push_back(edge);
      continue;
    }
    auto& in = out_.nodes[edge.to].in;
    const bool known = std::ranges::any_of(
        in, [&](const N8nEdge& one) { return one.from == edge.from && one.output == edge.output; });
    if (!known) in.push_back(edge);
    if (seen_[edge.to] != 0) continue;
    seen_[edge.to] = 1;
    way.emplace_back(edge.to, 0);
  }
}

void Wiring::order() {
  seen_.assign(out_.nodes.size(), 0);
  bool any = false;
  for (std::size_t i = 0; i < out_.nodes.size(); ++i) {
    if (!out_.nodes[i].trigger || seen_[i] != 0) continue;
    any = true;
    walk(i);
  }
  // Without a trigger it begins wherever nothing leads to.
  std::vector<bool> led_to(out_.nodes.size());
  for (const auto& edges : edges_) {
    for (const N8nEdge& edge : edges) led_to[edge.to] = true;
  }
  for (std::size_t i = 0; !any && i < out_.nodes.size(); ++i) {
    if (!led_to[i] && !out_.nodes[i].serves && out_.nodes[i].kind != "stickyNote") walk(i);
  }
  for (std::size_t i = 0; i < out_.nodes.size(); ++i) out_.nodes[i].reached = seen_[i] != 0;
}

}  // namespace

Json N8nNode::parameters() const {
  const auto found = raw.find("parameters");
  return found != raw.end() && found->is_object() ? *found : Json::object();
}

std::optional<std::size_t> N8nWorkflow::find(std::string_view node) const {
  const auto at = std::ranges::find(nodes, node, &N8nNode::name);
  if (at == nodes.end()) return std::nullopt;
  return static_cast<std::size_t>(at - nodes.begin());
}

Result<N8nWorkflow> read_n8n(std::string_view text, std::string_view source) {
  auto read = read_json<Json>(text, kMaxForeignJsonDepth);
  if (!read)
    return fail(Code::kInvalidArgument, fmt::format("{}: it is no JSON: {}", source, read.error().message()));
  // n8n's API and its older exports wrap it.
  for (const char* wrapper : {"workflow", "data"}) {
    if (read->is_object() && !read->contains("nodes") && read->contains(wrapper)) {
      Json inner = (*read)[wrapper];
      *read = std::move(inner);
    }
  }
  if (!read->is_object() || !read->contains("nodes") || !(*read)["nodes"].is_array())
    return fail(
        Code::kInvalidArgument,
        fmt::format("{}: it is no export of n8n: there is no list of `nodes`; use Download in its menu",
                    source));
  N8nWorkflow out;
  out.raw = *std::move(read);
  out.name = text_of(out.raw, "name");
  const Json& nodes = out.raw["nodes"];
  if (nodes.size() > kMaxN8nNodes)
    return fail(Code::kInvalidArgument,
                fmt::format("{}: {} nodes, at most {} are read", source, nodes.size(), kMaxN8nNodes));
  std::set<std::string> ids;
  std::set<std::string> names;
  for (const Json& raw : nodes) {
    N8nNode node = raw.is_object() ? node_of(raw, ids) : N8nNode();
    if (node.name.empty() || node.type.empty() || !names.insert(node.name).second)
      return fail(Code::kInvalidArgument, fmt::format("{}: node {} has no `name` of its own, or no `type`",
                                                      source, out.nodes.size() + 1));
    out.nodes.push_back(std::move(node));
  }
  Wiring wiring(out);
  if (const auto connections = out.raw.find("connections"); connections != out.raw.end())
    wiring.read(*connections);
  wiring.order();
  return out;
}

}  // namespace holdfast::flows
