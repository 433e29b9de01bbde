#include "block/references.h"

#include <algorithm>
#include <unordered_map>

#include "plan/graph.h"

namespace holdfast::flows {

namespace {

using nlohmann::json;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Calls `see(word, what stands before it)` for each word of the text.
template <typename See>
void each_word(std::string_view text, const See& see) {
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    see(text.substr(at, end - at), text.substr(0, at));
    at = end;
  }
}

template <typename See>
void each_text(const json& tree, const See& see) {
  if (tree.is_string()) see(tree.get_ref<const std::string&>());
  if (!tree.is_structured()) return;
  for (const json& one : tree) each_text(one, see);
}

// `blocks.`, and no name that ends so.
bool is_behind_blocks(std::string_view before) {
  constexpr std::string_view kBlocks = "blocks.";
  if (!before.ends_with(kBlocks)) return false;
  before.remove_suffix(kBlocks.size());
  return before.empty() || (!is_word(before.back()) && before.back() != '.');
}

}  // namespace

std::set<std::string> words_of(const json& tree) {
  std::set<std::string> out;
  each_text(tree, [&](std::string_view text) {
    each_word(text, [&](std::string_view word, std::string_view) { out.emplace(word); });
  });
  return out;
}

std::set<std::string> block_names_of(const json& tree) {
  std::set<std::string> out;
  each_text(tree, [&](std::string_view text) {
    each_word(text, [&](std::string_view word, std::string_view before) {
      if (is_behind_blocks(before)) out.emplace(word);
    });
  });
  return out;
}

std::vector<BlockSet> blocks_before(const Flow& flow) {
  const Graph graph = graph_of(flow);
  std::vector<BlockSet> out(graph.size());
  for (const std::size_t block : topological_order(graph)) {
    for (const std::size_t parent : graph[block].parents) {
      out[block] |= out[parent];
      out[block].set(parent);
    }
  }
  return out;
}

}  // namespace holdfast::flows
