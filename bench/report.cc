#include "report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace holdfast::bench {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

}  // namespace

double percentile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size())));
  return values[std::clamp<std::size_t>(rank, 1, values.size()) - 1];
}

void Report::add(const std::string& name, double value, const std::string& unit) {
  rows_.push_back({name, value, unit});
  std::printf("%-34s %12.3f %s\n", name.c_str(), value, unit.c_str());
  std::fflush(stdout);
}

void Report::fail(const std::string& what) {
  failures_.push_back(what);
  std::printf("FAILED: %s\n", what.c_str());
  std::fflush(stdout);
}

bool Report::write_json(const std::string& path) const {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  std::fprintf(file, "{\"rows\": [");
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    std::fprintf(file, "%s\n  {\"name\": %s, \"value\": %.6f, \"unit\": %s}", i == 0 ? "" : ",",
                 quoted(rows_[i].name).c_str(), rows_[i].value, quoted(rows_[i].unit).c_str());
  }
  std::fprintf(file, "],\n \"failures\": [");
  for (std::size_t i = 0; i < failures_.size(); ++i) {
    std::fprintf(file, "%s%s", i == 0 ? "" : ", ", quoted(failures_[i]).c_str());
  }
  std::fprintf(file, "]}\n");
  return std::fclose(file) == 0;
}

}  // namespace holdfast::bench
