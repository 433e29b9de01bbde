#include <algorithm>

#include <fmt/format.h>

#include "explain/explain.h"

namespace holdfast::flows {

namespace {

constexpr int kWidth = 190, kGap = 50, kLine = 16, kPad = 10;

// Ids are letters, digits and `_`; a title is whatever somebody wrote.
std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

struct Box {
  int x = 0, y = 0, height = 0;
};

// Columns by what is waited for, in each one below the other.
std::vector<Box> boxes_of(const Plan& plan, const std::vector<std::vector<std::size_t>>& after, int& right,
                          int& bottom) {
  std::vector<Box> out;
  std::vector<std::size_t> column(after.size());
  std::vector<int> filled;
  for (std::size_t i = 0; i < after.size(); ++i) {
    for (std::size_t before : after[i]) column[i] = std::max(column[i], column[before] + 1);
    if (filled.size() <= column[i]) filled.resize(column[i] + 1, 3 * kLine + kPad);
    int& y = filled[column[i]];
    Box& box = out.emplace_back();
    box.x = kPad + static_cast<int>(column[i]) * (kWidth + kGap);
    box.y = y;
    box.height = kLine * (static_cast<int>(plan.activities[i].blocks.size()) + 1) + kPad;
    y += box.height + 2 * kPad;
    right = std::max(right, box.x + kWidth + kPad);
    bottom = std::max(bottom, y);
  }
  return out;
}

std::string box_svg(const Graph& graph, const NamedPlan& named, std::size_t i, const Box& box,
                    bool critical) {
  const Activity& activity = named.plan.activities[i];
  const bool step = graph[activity.blocks.front().block].in_workflow;
  std::string out =
      fmt::format(R"(<rect x="{}" y="{}" width="{}" height="{}" rx="6" class="{}{}"/>)", box.x, box.y, kWidth,
                  box.height, step ? "step" : "activity", critical ? " critical" : "");
  int y = box.y + kLine;
  out += fmt::format(R"(<text x="{}" y="{}" class="id">a{} · {:.1f} ms</text>)", box.x + kPad, y, i + 1,
                     static_cast<double>(named.prediction.takes[i].count()) / 1000);
  for (const PlannedBlock& one : activity.blocks) {
    y += kLine;
    out += fmt::format(R"(<text x="{}" y="{}">{}<title>{}</title></text>)", box.x + kPad, y,
                       escaped(graph[one.block].id), escaped(one.why));
  }
  return out + "\n";
}

}  // namespace

std::string picture(const Flow& flow, const Graph& graph, const NamedPlan& named) {
  const auto after = dependencies(graph, named.plan);
  int right = 2 * kWidth, bottom = 4 * kLine;
  const std::vector<Box> boxes = boxes_of(named.plan, after, right, bottom);
  std::vector<bool> critical(boxes.size());
  for (std::size_t one : named.prediction.critical_path) critical[one] = true;
  std::string out = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">)"
      "\n<style>text{{font:12px sans-serif;fill:#222}}.id{{fill:#777}}rect{{fill:#fff;stroke:#999}}"
      ".step{{fill:#f4f0ff}}.critical{{stroke:#c33;stroke-width:2}}path{{fill:none;stroke:#999}}</style>\n",
      right, bottom);
  out += fmt::format(R"(<text x="{}" y="{}">{}, {}: {} activities, {:.1f} ms</text>)"
                     "\n",
                     kPad, 2 * kLine, escaped(flow.name), named.planner, boxes.size(),
                     static_cast<double>(named.prediction.total.count()) / 1000);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    for (std::size_t before : after[i]) {
      const Box& from = boxes[before];
      out += fmt::format(R"(<path d="M{} {} C{} {} {} {} {} {}"/>)"
                         "\n",
                         from.x + kWidth, from.y + kLine, from.x + kWidth + kGap / 2, from.y + kLine,
                         boxes[i].x - kGap / 2, boxes[i].y + kLine, boxes[i].x, boxes[i].y + kLine);
    }
  }
  for (std::size_t i = 0; i < boxes.size(); ++i) out += box_svg(graph, named, i, boxes[i], critical[i]);
  return out + "</svg>\n";
}

}  // namespace holdfast::flows
