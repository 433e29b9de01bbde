#include "metrics/registry.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace holdfast::metrics {

const Bounds& duration_bounds() {
  static const Bounds bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                             1,     2.5,    5,     10,   30,    60,   120, 300};
  return bounds;
}

Family::Family(Kind kind, Description about, Bounds bounds)
    : kind_(kind), about_(std::move(about)), bounds_(std::move(bounds)) {}

Series& Family::of(Labels labels) {
  HF_CHECK(labels.size() == about_.labels.size());
  std::vector<std::string> values;
  values.reserve(labels.size());
  for (const std::string_view value : labels) values.emplace_back(cut_text(value, kMaxLabelBytes));
  auto found = series_.find(values);
  if (found == series_.end() && series_.size() >= kMaxSeries) {
    values.assign(labels.size(), std::string(kOtherSeries));
    found = series_.find(values);
  }
  if (found != series_.end()) return found->second;
  Series& made = series_[values];
  made.labels = std::move(values);
  if (kind_ == Kind::kHistogram) made.counts.resize(bounds_.size() + 1);
  return made;
}

void Family::add(Labels labels, double by) {
  const std::lock_guard lock(mutex_);
  of(labels).value += by;
}

void Family::set(Labels labels, double value) {
  const std::lock_guard lock(mutex_);
  of(labels).value = value;
}

void Family::observe(Labels labels, double value) {
  const std::lock_guard lock(mutex_);
  Series& one = of(labels);
  one.value += value;
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  ++one.counts[static_cast<std::size_t>(bucket - bounds_.begin())];
}

double Family::at(Labels labels) const {
  const std::lock_guard lock(mutex_);
  const auto found = series_.find(std::vector<std::string>(labels.begin(), labels.end()));
  if (found == series_.end()) return 0;
  if (kind_ != Kind::kHistogram) return found->second.value;
  std::uint64_t count = 0;
  for (const std::uint64_t one : found->second.counts) count += one;
  return static_cast<double>(count);
}

std::vector<Series> Family::series() const {
  const std::lock_guard lock(mutex_);
  std::vector<Series> out;
  out.reserve(series_.size());
  for (const auto& [labels, one] : series_) out.push_back(one);
  return out;
}

struct Registry::Readers {
  std::mutex mutex;  // held by a reading
  std::map<std::uint64_t, Read> all;
  std::uint64_t next = 0;
};

Registry::Registry() : readers_(std::make_shared<Readers>()) {}
Registry::~Registry() = default;

Family& Registry::family(Kind kind, Description about, Bounds bounds) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Family>& one = families_[about.name];
  if (!one) one = std::make_unique<Family>(kind, std::move(about), std::move(bounds));
  HF_CHECK(one->kind() == kind);
  return *one;
}

std::shared_ptr<void> Registry::on_read(Read read) {
  const std::lock_guard lock(readers_->mutex);
  const std::uint64_t id = readers_->next++;
  readers_->all.emplace(id, std::move(read));
  return {nullptr, [readers = readers_, id](void*) {
            const std::lock_guard held(readers->mutex);
            readers->all.erase(id);
          }};
}

// exposition.cc
void write_family(std::string& out, Format format, Kind kind, const Description& about, const Bounds& bounds,
                  std::span<const Series> series);

std::string Registry::read(Format format) const {
  class Writing final : public Reading {
   public:
    Writing(std::string& out, Format format) : out_(out), format_(format) {}
    void write(Kind kind, const Description& about, std::span<const Series> series) override {
      write_family(out_, format_, kind, about, {}, series.first(std::min(series.size(), kMaxSeries)));
    }

   private:
    std::string& out_;
    const Format format_;
  };
  std::string out;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, one] : families_)
      write_family(out, format, one->kind(), one->about(), one->bounds(), one->series());
  }
  Writing reading(out, format);
  const std::lock_guard lock(readers_->mutex);
  for (const auto& [id, read] : readers_->all) read(reading);
  if (format == Format::kOpenMetrics) out += "# EOF\n";
  return out;
}

}  // namespace holdfast::metrics
