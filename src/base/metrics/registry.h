#pragma once

// Registry: what the process counts and measures of itself. A family is one metric with its label names; a
// series is one set of label values. Whoever has something to count asks for a family once and keeps the
// reference; what is known only at the moment of a reading (lines that wait, bytes that are held) is written
// by a reading that is registered with on_read().
//
// Bounded: a family has kMaxSeries series, what comes then is counted in one whose labels are "_other"; a
// label's value is cut at kMaxLabelBytes. Counters count from the start of the process.
//
// Thread-safe. Families live as long as their registry.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::metrics {

inline constexpr std::size_t kMaxSeries = 512;  // of a family
inline constexpr std::size_t kMaxLabelBytes = 128;
inline constexpr std::string_view kOtherSeries = "_other";

enum class Kind : std::uint8_t { kCounter, kGauge, kHistogram };

// `name` has its unit behind it, and no `_total`: "holdfast_model_call_duration_seconds".
struct Description {
  std::string name;
  std::string help;
  std::string unit = {};  // "seconds", "bytes"; empty: it is a number
  std::vector<std::string> labels = {};
};

// Upper bounds of the buckets in ascending order; the last one, which is infinite, is left out.
using Bounds = std::vector<double>;
// From a millisecond to five minutes.
const Bounds& duration_bounds();

struct Series {
  std::vector<std::string> labels;         // values, as many as the family has names
  double value = 0;                        // of a counter or gauge; the sum of a histogram
  std::vector<std::uint64_t> counts = {};  // of a histogram: per bucket, the infinite one last
};

class Family {
 public:
  Family(Kind kind, Description about, Bounds bounds = {});
  Family(const Family&) = delete;
  Family& operator=(const Family&) = delete;

  using Labels = std::initializer_list<std::string_view>;
  void add(Labels labels, double by = 1);
  void set(Labels labels, double value);
  void observe(Labels labels, double value);
  // Of a counter or gauge: what it stands at. Of a histogram: how many were observed. 0: there is none.
  double at(Labels labels) const;

  Kind kind() const { return kind_; }
  const Description& about() const { return about_; }
  const Bounds& bounds() const { return bounds_; }
  std::vector<Series> series() const;  // by their labels

 private:
  Series& of(Labels labels);  // mutex held

  const Kind kind_;
  const Description about_;
  const Bounds bounds_;
  mutable std::mutex mutex_;
  std::map<std::vector<std::string>, Series> series_;  // guarded by mutex_
};

// What a reading writes at the moment of it.
class Reading {
 public:
  virtual ~Reading() = default;
  virtual void write(Kind kind, const Description& about, std::span<const Series> series) = 0;
  void gauge(const Description& about, std::span<const Series> series) { write(Kind::kGauge, about, series); }
  void gauge(const Description& about, double value) {
    const Series one{{}, value};
    write(Kind::kGauge, about, std::span(&one, 1));
  }
  void counter(const Description& about, double value) {
    const Series one{{}, value};
    write(Kind::kCounter, about, std::span(&one, 1));
  }
};

enum class Format : std::uint8_t { kText, kOpenMetrics };
// What an Accept header asks for; the text of old when it asks for neither.
Format format_for(std::string_view accept);
std::string_view content_type(Format format);

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The family of that name: made by whoever asks first, the same for all others.
  Family& counter(Description about) { return family(Kind::kCounter, std::move(about), {}); }
  Family& gauge(Description about) { return family(Kind::kGauge, std::move(about), {}); }
  Family& histogram(Description about, Bounds bounds = duration_bounds()) {
    return family(Kind::kHistogram, std::move(about), std::move(bounds));
  }

  // `read` runs with each reading, one at a time, for as long as what comes back is held; letting go of it
  // waits for one that is under way.
  using Read = std::function<void(Reading&)>;
  [[nodiscard]] std::shared_ptr<void> on_read(Read read);

  // All of it, as Prometheus reads it.
  std::string read(Format format) const;

 private:
  struct Readers;
  Family& family(Kind kind, Description about, Bounds bounds);

  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Family>> families_;  // guarded by mutex_
  const std::shared_ptr<Readers> readers_;
};

}  // namespace holdfast::metrics
