#pragma once

// Measured values: printed as lines for people, written as JSON for tools/bench.py.

#include <string>
#include <vector>

namespace holdfast::bench {

// The value at or above which a share of 1-q lies. Sorts; 0 for no values.
double percentile(std::vector<double> values, double q);

class Report {
 public:
  void add(const std::string& name, double value, const std::string& unit);
  // A measurement that could not be trusted: named, and the program's exit code says so.
  void fail(const std::string& what);
  bool failed() const { return !failures_.empty(); }
  bool write_json(const std::string& path) const;

 private:
  struct Row {
    std::string name;
    double value;
    std::string unit;
  };
  std::vector<Row> rows_;
  std::vector<std::string> failures_;
};

}  // namespace holdfast::bench
