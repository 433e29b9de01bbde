// The two texts that Prometheus reads: its own, version 0.0.4, and OpenMetrics 1.0, which has units.

#include <fmt/format.h>

#include <cmath>

#include "base/ascii.h"
#include "metrics/registry.h"

namespace holdfast::metrics {

namespace {

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  // Whole numbers as such, also large ones: nobody wants to read 1.5e+09 bytes.
  if (value == std::floor(value) && std::abs(value) < 1e15) return fmt::format("{:.0f}", value);
  return fmt::format("{}", value);
}

// OpenMetrics wants bounds in one spelling: 1.0, never 1.
std::string bound_text(double value) {
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string labels_text(const Description& about, const Series& one, std::string_view le = {}) {
  std::string out;
  for (std::size_t i = 0; i < about.labels.size() && i < one.labels.size(); ++i)
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", about.labels[i], escaped(one.labels[i], true));
  if (!le.empty()) out += fmt::format("{}le=\"{}\"", out.empty() ? "" : ",", le);
  return out.empty() ? out : "{" + out + "}";
}

void write_histogram(std::string& out, const Description& about, const Bounds& bounds, const Series& one) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < one.counts.size(); ++i) {
    below += one.counts[i];
    const std::string le = i < bounds.size() ? bound_text(bounds[i]) : "+Inf";
    out += fmt::format("{}_bucket{} {}\n", about.name, labels_text(about, one, le), below);
  }
  out += fmt::format("{}_sum{} {}\n", about.name, labels_text(about, one), number(one.value));
  out += fmt::format("{}_count{} {}\n", about.name, labels_text(about, one), below);
}

std::string_view type_name(Kind kind) {
  switch (kind) {
    case Kind::kCounter: return "counter";
    case Kind::kGauge: return "gauge";
    case Kind::kHistogram: return "histogram";
  }
  return "unknown";
}

// The quality that a media range of an Accept header has; 0: it is not there.
double quality(std::string_view accept, std::string_view type) {
  while (!accept.empty()) {
    const std::string_view range = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(range.size() + 1, accept.size()));
    const std::string text = ascii_lower(range);
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string::npos) continue;
    const std::string name = text.substr(begin, text.find_first_of("; ", begin) - begin);
    if (name != type) continue;
    const std::size_t q = text.find("q=");
    if (q == std::string::npos) return 1;
    return std::strtod(text.c_str() + q + 2, nullptr);
  }
  return 0;
}

}  // namespace

Format format_for(std::string_view accept) {
  const double open = quality(accept, "application/openmetrics-text");
  return open > 0 && open >= quality(accept, "text/plain") ? Format::kOpenMetrics : Format::kText;
}

std::string_view content_type(Format format) {
  return format == Format::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                        : "text/plain; version=0.0.4; charset=utf-8";
}

void write_family(std::string& out, Format format, Kind kind, const Description& about, const Bounds& bounds,
                  std::span<const Series> series) {
  if (series.empty()) return;
  const bool open = format == Format::kOpenMetrics;
  const std::string sample = kind == Kind::kCounter ? about.name + "_total" : about.name;
  const std::string& family = open ? about.name : sample;
  out += fmt::format("# HELP {} {}\n", family, escaped(about.help, open));
  out += fmt::format("# TYPE {} {}\n", family, type_name(kind));
  if (open && !about.unit.empty()) out += fmt::format("# UNIT {} {}\n", family, about.unit);
  for (const Series& one : series) {
    if (kind == Kind::kHistogram) {
      write_histogram(out, about, bounds, one);
    } else {
      out += fmt::format("{}{} {}\n", sample, labels_text(about, one), number(one.value));
    }
  }
}

}  // namespace holdfast::metrics
