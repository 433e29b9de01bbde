#include "otlp/exporter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "net/origin.h"
#include "net/reach.h"
#include "net/retry_after.h"
#include "otlp/span_json.h"
#include "protocol/events.h"

namespace holdfast::otlp {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kPage = 1000;
constexpr milliseconds kFirstPause{1'000};

// The collector that the operator named, and nothing else.
std::shared_ptr<const net::Reach> reach_of(const std::string& url) {
  std::vector<net::HostRule> rules;
  if (auto read = net::read_url(url)) {
    // A name may be that of a collector beside us.
    const std::string rule = net::rule_for(read->origin);
    for (const char* kind : {"", "/private", "/shared", "/loopback"}) {
      if (auto one = net::parse_host_rule(rule.substr(0, rule.find('/')) + kind)) rules.push_back(*one);
    }
  }
  return std::make_shared<const net::Reach>(std::move(rules), std::vector<std::uint16_t>());
}

bool is_passing(int status) {
  return status == 408 || status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

Exporter::Exporter(Settings settings, ExporterDeps deps, std::unique_ptr<Executor> thread)
    : settings_(std::move(settings)),
      deps_(std::move(deps)),
      reach_(reach_of(settings_.url)),
      exported_(deps_.metrics->counter({"holdfast_spans_exported", "Spans that the collector took."})),
      dropped_(deps_.metrics->counter({"holdfast_spans_dropped",
                                       "Spans that nobody will get: refused by the collector, or too many "
                                       "runs had news (then events of theirs are counted).",
                                       "",
                                       {"reason"}})),
      failures_(deps_.metrics->counter({"holdfast_span_export_failures",
                                        "Requests to the collector that came to nothing, by status.",
                                        "",
                                        {"status"}})),
      known_since_(deps_.clock->now()),
      thread_(std::move(thread)) {
  exported_.add({}, 0);
  for (const char* reason : {"refused", "too_many_runs", "log_gone"}) dropped_.add({reason}, 0);
  reading_ = deps_.metrics->on_read([this](metrics::Reading& out) {
    const std::lock_guard lock(mutex_);
    out.gauge({"holdfast_spans_runs_due", "Runs that have spans which are to be exported."},
              static_cast<double>(due_.size()));
  });
  thread_->post([this] { loop(); });
}

Exporter::~Exporter() {
  reading_.reset();
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    wake_.wait_for(lock, kLastChance, [this] { return ended_; });
  }
  stop_.request_stop();
  thread_.reset();
}

void Exporter::seen(const platform::Event& event) {
  if (event.run.starts_with('$')) return;
  const std::lock_guard lock(mutex_);
  // It stood in the log before we were told, and went with what was read then.
  const auto before = exported_to_.find(event.run);
  if (before != exported_to_.end() && event.seq <= before->second) return;
  // What is told together with a step, or may be lost, comes without a word: it stands before this. Of a run
  // that was begun by a process before this one, that is what has ended since this one began.
  Due fresh{event.seq, event.seq, known_since_};
  if (before != exported_to_.end()) fresh = {before->second + 1, event.seq, std::nullopt};
  const auto found = due_.find(event.run);
  if (found != due_.end()) {
    found->second.last = event.seq;
    return;
  }
  if (due_.size() >= kMaxRunsDue) return dropped_.add({"too_many_runs"});
  due_.emplace(event.run, fresh);
}

void Exporter::loop() {
  while (true) {
    std::map<std::string, Due> due;
    bool last = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::max(settings_.delay, pause_), [this] { return stopping_; });
      last = stopping_;
      due = due_;
    }
    if (!due.empty()) {
      if (export_due(due)) {
        pause_ = milliseconds(0);
        complained_ = false;
      } else {
        pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
        if (asked_pause_) pause_ = std::max(pause_, std::min(*asked_pause_, milliseconds(3'600'000)));
      }
    }
    if (!last) continue;
    const std::lock_guard lock(mutex_);
    ended_ = true;
    wake_.notify_all();
    return;
  }
}

bool Exporter::export_due(const std::map<std::string, Due>& due) {
  std::vector<Span> batch;
  std::size_t bytes = 0;
  std::map<std::string, std::uint64_t> read;  // without a span that waits: up to where
  const auto flush = [&] {
    const Sent sent = batch.empty() ? Sent::kYes : send(batch);
    if (sent == Sent::kLater) {
      for (const auto& [run, up_to] : read) forget(run);
      return false;
    }
    for (const auto& [run, up_to] : read) done(run, up_to);
    batch.clear();
    read.clear();
    bytes = 0;
    return true;
  };
  for (const auto& [run, news] : due) {
    if (stop_.stop_requested()) return false;
    std::vector<Span> spans;
    const auto up_to = collect(run, news, spans);
    if (!up_to) {
      forget(run);
      dropped_.add({"log_gone"});
      done(run, news.last);
      continue;
    }
    for (std::size_t i = 0; i < spans.size(); ++i) {
      bytes += spans[i].json.size();
      const std::uint64_t ended_by = spans[i].ended_by;
      batch.push_back(std::move(spans[i]));
      const bool whole = i + 1 == spans.size() || spans[i + 1].ended_by != ended_by;
      read[run] = whole ? ended_by : ended_by - 1;
      if (bytes >= kMaxBatchBytes && !flush()) {
        forget(run);
        return false;
      }
    }
    read[run] = *up_to;
  }
  return flush();
}

// The spans that events from `due.first` on have ended.
Result<std::uint64_t> Exporter::collect(const std::string& run, const Due& due, std::vector<Span>& out) {
  Fold& fold = fold_of(run);
  std::uint64_t up_to = due.last;
  if (!fold.context) {
    auto context = platform::trace_of(*deps_.store, run);
    if (!context) return fail(context.error());
    fold.context = *std::move(context);
  }
  while (true) {
    auto page = deps_.streams->read(run, fold.cursor, kPage);
    if (!page) return fail(page.error());
    if (!page->events.empty()) up_to = std::max(up_to, page->events.back().seq);
    if (page->reset) fold.trace = runs::RunTrace(settings_.content);
    for (const platform::Event& event : page->events) fold.trace.apply(event);
    fold.cursor = page->cursor;
    const runs::TraceSpan* root = fold.trace.root();
    for (const runs::TraceSpan& span : fold.trace.take_ended()) {
      const bool is_new =
          span.ended_by >= due.first || (due.since && span.ended && *span.ended >= *due.since);
      if (!is_new || root == nullptr || !fold.context->sampled) continue;
      const auto conversation = root->more.find("conversation");
      out.push_back({run, span.ended_by,
                     dump_json(span_json(*fold.context, run, span, root->name,
                                         conversation == root->more.end() || !conversation->is_string()
                                             ? run
                                             : conversation->get<std::string>(),
                                         settings_.content))});
    }
    if (page->events.size() < kPage) break;
  }
  if (fold.trace.closed_at()) forget(run);
  return up_to;
}

Exporter::Fold& Exporter::fold_of(const std::string& run) {
  auto found = folds_.find(run);
  if (found != folds_.end()) {
    recent_.remove(run);
  } else {
    if (folds_.size() >= kMaxFolds) {
      folds_.erase(recent_.back());
      recent_.pop_back();
    }
    found = folds_.emplace(run, std::make_unique<Fold>(settings_.content)).first;
  }
  recent_.push_front(run);
  return *found->second;
}

void Exporter::forget(const std::string& run) {
  if (folds_.erase(run) > 0) recent_.remove(run);
}

void Exporter::done(const std::string& run, std::uint64_t up_to) {
  const std::lock_guard lock(mutex_);
  if (exported_to_.size() >= kMaxFolds && !exported_to_.contains(run)) {
    exported_to_.clear();
    known_since_ = deps_.clock->now();
  }
  exported_to_[run] = up_to;
  const auto found = due_.find(run);
  if (found == due_.end()) return;
  if (found->second.last <= up_to) {
    due_.erase(found);
  } else {
    found->second.first = up_to + 1;
    found->second.since.reset();
  }
}

Exporter::Sent Exporter::send(const std::vector<Span>& spans) {
  std::vector<std::string> texts;
  for (const Span& span : spans) texts.push_back(span.json);
  net::HttpRequest request;
  request.method = "POST";
  request.url = settings_.url;
  request.headers = settings_.headers;
  request.headers.emplace_back("content-type", "application/json");
  request.headers.emplace_back("accept", "application/json");
  request.body = request_json(settings_, deps_.version, texts);
  request.total_timeout = settings_.timeout;
  request.max_response_bytes = 1 << 20;
  request.reach = reach_;
  return judge(net::fetch(*deps_.http, std::move(request), stop_.get_token()), spans.size());
}

Exporter::Sent Exporter::judge(const std::expected<net::HttpResponse, net::FetchError>& answer,
                               std::size_t spans) {
  const net::HttpResponse& response = answer ? *answer : answer.error().received;
  const int status = response.head.status;
  asked_pause_.reset();
  if (status >= 200 && status < 300) {
    // A collector may take some and refuse others; those will not be better the next time.
    std::int64_t refused = 0;
    const Json body = parse_json<Json>(response.body);
    if (body.is_object() && body.contains("partialSuccess") && body["partialSuccess"].is_object()) {
      const Json& rejected = body["partialSuccess"].value("rejectedSpans", Json(0));
      if (rejected.is_number_integer()) refused = rejected.get<std::int64_t>();
      if (rejected.is_string()) refused = std::strtoll(rejected.get<std::string>().c_str(), nullptr, 10);
    }
    refused = std::clamp<std::int64_t>(refused, 0, static_cast<std::int64_t>(spans));
    if (refused > 0) dropped_.add({"refused"}, static_cast<double>(refused));
    exported_.add({}, static_cast<double>(spans) - static_cast<double>(refused));
    return Sent::kYes;
  }
  const std::string why = status != 0 ? fmt::format("status {}", status) : answer.error().message;
  failures_.add({status != 0 ? std::to_string(status) : std::string("none")});
  if (!std::exchange(complained_, true))
    deps_.log(fmt::format("spans cannot be exported to {}: {}", settings_.url, why));
  if (status == 0 || is_passing(status)) {
    if (status != 0) asked_pause_ = net::retry_after(response.head, deps_.clock->now());
    return Sent::kLater;
  }
  dropped_.add({"refused"}, static_cast<double>(spans));
  return Sent::kNever;
}

}  // namespace holdfast::otlp
