#include "language/flow_checks.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

namespace holdfast::flows {

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

class Checks {
 public:
  Checks(const Flow& flow, const std::vector<BlockMarks>& marks, spec::YamlProblems& problems)
      : flow_(flow), marks_(marks), problems_(problems), parents_(flow.blocks.size()) {
    for (const FlowBlock& block : flow.blocks) ids_.push_back(block.id);
  }

  void run() {
    names();
    needs();
    starts();
    // A path is only looked for where it could be walked.
    if (is_whole_ && acyclic()) {
      connected();
      joins();
    }
  }

 private:
  void wrong(std::size_t block, const YAML::Mark& mark, std::string_view what) {
    problems_.add(mark, fmt::format("block `{}`: {}", flow_.blocks[block].id, what));
  }

  void names() {
    for (std::size_t i = 0; i < flow_.blocks.size(); ++i) {
      const std::string& id = flow_.blocks[i].id;
      if (id.empty()) {
        is_whole_ = false;
      } else if (!places_.emplace(id, i).second) {
        is_whole_ = false;
        wrong(i, marks_[i].block,
              fmt::format("there is one of that name in line {} already; give each its own",
                          marks_[places_[id]].block.line + 1));
      }
    }
  }

  void needs() {
    for (std::size_t i = 0; i < flow_.blocks.size(); ++i) {
      std::set<std::pair<std::string, std::string>> known;
      for (std::size_t n = 0; n < flow_.blocks[i].needs.size(); ++n) {
        const Need& need = flow_.blocks[i].needs[n];
        if (!known.emplace(need.block, need.outlet).second)
          wrong(i, marks_[i].needs[n], fmt::format("needs `{}` twice; remove one", need.block));
        parents_[i].push_back(parent(i, need, marks_[i].needs[n]));
      }
    }
  }

  std::size_t parent(std::size_t block, const Need& need, const YAML::Mark& mark) {
    const auto at = places_.find(need.block);
    if (at == places_.end()) {
      is_whole_ = false;
      const std::string_view near = spec::nearest_name(need.block, ids_);
      wrong(block, mark,
            near.empty()
                ? fmt::format("needs `{}`, which is no block", need.block)
                : fmt::format("needs `{}`, which is no block; did you mean `{}`?", need.block, near));
      return kNone;
    }
    const std::vector<std::string>& outlets = flow_.blocks[at->second].outlets;
    if (std::ranges::find(outlets, need.outlet) == outlets.end()) {
      const bool decides = need.outlet == kDone;
      wrong(
          block, mark,
          fmt::format("`{}` {} `{}`; its outlets are {}", need.block,
                      decides ? "decides: name the outlet, such as" : "has no outlet",
                      decides ? need.block + "." + outlets.front() : need.outlet, fmt::join(outlets, ", ")));
    }
    return at->second;
  }

  void starts() {
    std::size_t first = kNone;
    for (std::size_t i = 0; i < flow_.blocks.size(); ++i) {
      const FlowBlock& block = flow_.blocks[i];
      if (block.type == nullptr) {
        is_whole_ = false;
        continue;
      }
      if (flow_.is_body) continue;
      if (block.type->name != "start") {
        if (block.needs.empty())
          wrong(i, marks_[i].block,
                "is not connected: say in `needs` what it comes after, at least the start");
        continue;
      }
      if (!block.needs.empty()) wrong(i, marks_[i].block, "the start comes first; remove its `needs`");
      if (first != kNone)
        wrong(i, marks_[i].block,
              fmt::format("a flow has one start, and `{}` is it", flow_.blocks[first].id));
      else
        first = i;
    }
    if (first == kNone && !flow_.is_body && !flow_.blocks.empty() && is_whole_)
      problems_.add(marks_.front().block, "no block is of type `start`; add one, for what the flow is given");
  }

  bool acyclic() {
    Graph graph(flow_.blocks.size());
    for (std::size_t i = 0; i < graph.size(); ++i) graph[i].parents = parents_[i];
    order_ = topological_order(graph);
    if (order_.size() == graph.size()) return true;
    std::vector<bool> ordered(graph.size());
    for (std::size_t i : order_) ordered[i] = true;
    // Whoever is left has a parent that is left: walking up ends in a cycle.
    std::size_t at = static_cast<std::size_t>(std::ranges::find(ordered, false) - ordered.begin());
    std::vector<std::size_t> way;
    while (std::ranges::find(way, at) == way.end()) {
      way.push_back(at);
      at = *std::ranges::find_if(parents_[at], [&](std::size_t one) { return !ordered[one]; });
    }
    std::string text = flow_.blocks[at].id;
    for (std::size_t i = way.size(); i-- > 0 && way[i] != at;) text += " -> " + flow_.blocks[way[i]].id;
    wrong(at, marks_[at].block,
          fmt::format("waits for itself: {} -> {}; repeat with a `loop` instead", text, flow_.blocks[at].id));
    return false;
  }

  void connected() {
    std::vector<bool> reached(flow_.blocks.size());
    for (std::size_t i : order_) {
      const bool begins = flow_.is_body ? parents_[i].empty() : flow_.blocks[i].type->name == "start";
      reached[i] = begins || std::ranges::any_of(parents_[i], [&](std::size_t one) { return reached[one]; });
      if (!reached[i] && !parents_[i].empty()) wrong(i, marks_[i].block, "no way leads here from the start");
    }
  }

  // For each block that decides, which of its outlets may have been taken when a block runs: a block that
  // waits for two that exclude each other never runs.
  using Taken = std::map<std::size_t, std::set<std::string>>;

  void joins() {
    std::vector<Taken> taken(flow_.blocks.size());
    for (std::size_t i = 0; i < flow_.blocks.size(); ++i) {
      for (std::size_t n = 0; n < parents_[i].size(); ++n) {
        if (flow_.blocks[i].needs[n].outlet != kDone) forks_.insert(parents_[i][n]);
      }
    }
    for (std::size_t i : order_) {
      const FlowBlock& block = flow_.blocks[i];
      for (std::size_t n = 0; n < block.needs.size(); ++n) {
        const std::size_t from = parents_[i][n];
        Taken through = taken[from];
        if (forks_.contains(from)) through[from] = {block.needs[n].outlet};
        if (n == 0) {
          taken[i] = std::move(through);
        } else if (block.any) {
          either(taken[i], through);
        } else if (const std::size_t decided = both(taken[i], through); decided != kNone) {
          wrong(i, marks_[i].needs[n],
                fmt::format("never runs: it waits for all of `needs`, and two of them exclude each other by "
                            "what `{}` comes to; say `join: any`",
                            flow_.blocks[decided].id));
          break;
        }
      }
      if (taken[i].size() > kMostDecisions) taken[i].clear();
    }
  }

  static void either(Taken& taken, const Taken& other) {
    for (auto at = taken.begin(); at != taken.end();) {
      const auto also = other.find(at->first);
      if (also == other.end()) {
        at = taken.erase(at);
        continue;
      }
      at->second.insert(also->second.begin(), also->second.end());
      ++at;
    }
  }

  // The block whose outlets would all have to be taken; kNone: there is none.
  static std::size_t both(Taken& taken, const Taken& other) {
    for (const auto& [block, outlets] : other) {
      const auto at = taken.find(block);
      if (at == taken.end()) {
        taken.emplace(block, outlets);
        continue;
      }
      std::erase_if(at->second, [&](const std::string& one) { return !outlets.contains(one); });
      if (at->second.empty()) return block;
    }
    return kNone;
  }

  static constexpr std::size_t kMostDecisions = 64;  // looked at for one block

  const Flow& flow_;
  const std::vector<BlockMarks>& marks_;
  spec::YamlProblems& problems_;
  std::vector<std::vector<std::size_t>> parents_;  // as `needs`
  std::vector<std::string> ids_;
  std::unordered_map<std::string_view, std::size_t> places_;
  std::vector<std::size_t> order_;
  std::set<std::size_t> forks_;  // blocks of which more than one outlet leads on
  bool is_whole_ = true;
};

}  // namespace

void check_graph(const Flow& flow, const std::vector<BlockMarks>& marks, spec::YamlProblems& problems) {
  Checks(flow, marks, problems).run();
}

}  // namespace holdfast::flows
