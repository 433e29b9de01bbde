// What a run did and gave: /api/v1/runs/{id}/trace; what its steps gave, whole: /api/v1/runs/{id}/steps,
// which searches it, .../steps/{step}/output, and .../blobs/{sha256}; and what their code wrote: .../logs.
// Text of tools is foreign: it is sent to be stored, never to be shown as a page.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/json.h"
#include "http/api_context.h"
#include "http/problems.h"
#include "http/trace_api.h"

namespace holdfast::http {

namespace {

constexpr std::size_t kPart = 1 << 20;

Response attachment(std::string_view media_type, const std::string& name) {
  static constexpr std::pair<std::string_view, std::string_view> kEndings[] = {
      {"application/json", "json"}, {"application/pdf", "pdf"}, {"image/png", "png"},
      {"image/jpeg", "jpg"},        {"image/gif", "gif"},       {"image/webp", "webp"},
      {"application/zip", "zip"}};
  const auto known = std::ranges::find(kEndings, media_type, [](const auto& one) { return one.first; });
  Response out;
  std::string_view ending = "bin";
  if (known != std::end(kEndings)) {
    out.content_type = media_type;
    ending = known->second;
  } else if (media_type.empty() || media_type.starts_with("text/")) {
    out.content_type = "text/plain; charset=utf-8";
    ending = "txt";
  } else {
    out.content_type = "application/octet-stream";
  }
  out.headers.push_back({"Content-Disposition", fmt::format("attachment; filename=\"{}.{}\"", name, ending)});
  return out;
}

// Part by part, as fast as it is read.
void send_blob(ApiContext& context, const platform::Blob& blob, Responder responder) {
  Response head = attachment(blob.media_type, "output-" + blob.sha256.substr(0, 16));
  head.headers.push_back({"ETag", fmt::format("\"{}\"", blob.sha256)});
  auto source = [store = &context.store(), blob,
                 at = std::uint64_t{0}]() mutable -> std::optional<std::string> {
    if (at >= static_cast<std::uint64_t>(blob.bytes)) return std::nullopt;
    auto part = store->read_blob(blob.sha256, at, kPart);
    if (!part || part->empty()) throw net::StreamCut();
    at += part->size();
    return *std::move(part);
  };
  if (auto stream = responder.stream(std::move(head), *context.stream_workers, std::move(source)))
    stream->wake();
}

Problem no_output(const std::string& run, std::string_view which) {
  return Problem(404, "output_not_found", fmt::format("run '{}' has no output '{}'", run, which));
}

void show_blob(ApiContext& context, Request& request, Responder responder) {
  const std::string run(request.param("id"));
  const std::string sha256(request.param("sha256"));
  auto blob = context.store().blob(run, "", sha256);
  if (!blob && blob.error().code() == Code::kNotFound)
    return responder.reply(no_output(run, sha256).response());
  if (!blob) return responder.reply(Problem::from(blob.error()).response());
  send_blob(context, *blob, std::move(responder));
}

std::expected<Json, Problem> steps_of(ApiContext& context, const std::string& run) {
  auto details = context.runs().view(run);
  if (!details) return std::unexpected(problem_of(details.error()));
  return parse_json<Json>(details->progress.steps_json);
}

// The text that the model was given: from the record of the call, which holds all of it.
std::optional<std::string> recorded(ApiContext& context, const Json& step) {
  const std::string key = step.value("key", "");
  std::string record;
  if (!key.empty()) {
    if (auto found = context.store().lookup_step("tool:" + key); found && *found) record = (*found)->result;
    if (record.empty()) {
      if (auto found = context.store().lookup_effect(key); found && *found) record = (*found)->result;
    }
  }
  const Json read = parse_json<Json>(record);
  if (read.is_object() && read.contains("text") && read["text"].is_string())
    return read["text"].get<std::string>();
  for (const char* name : {"result", "text", "error"}) {
    if (step.contains(name) && step[name].is_string()) return step[name].get<std::string>();
  }
  return std::nullopt;
}

void show_output(ApiContext& context, Request& request, Responder responder) {
  const std::string run(request.param("id"));
  const std::string wanted(request.param("step"));
  auto steps = steps_of(context, run);
  if (!steps) return responder.reply(steps.error().response());
  for (const Json& step : *steps) {
    if (dump_json(step["step"]) != wanted) continue;
    if (step.contains("output")) {
      if (auto blob = context.store().blob(run, "", step["output"].value("sha256", "")))
        return send_blob(context, *blob, std::move(responder));
    }
    auto text = recorded(context, step);
    if (!text) break;
    Response out = attachment("text/plain", fmt::format("step-{}", wanted));
    out.body = *std::move(text);
    return responder.reply(std::move(out));
  }
  responder.reply(no_output(run, wanted).hint("a step that has ended has one").response());
}

// ---- steps, and where in what they gave a text stands

bool holds(const std::string& text, const std::string& wanted) {
  return ascii_lower(text).find(wanted) != std::string::npos;
}

bool holds(ApiContext& context, const std::string& run, const Json& step, const std::string& wanted) {
  for (const char* name : {"name", "arguments", "text", "result", "error", "log"}) {
    if (step.contains(name) && step[name].is_string() && holds(step[name].get<std::string>(), wanted))
      return true;
  }
  if (auto text = recorded(context, step); text && holds(*text, wanted)) return true;
  if (!step.contains("output")) return false;
  auto blob = context.store().blob(run, "", step["output"].value("sha256", ""));
  if (!blob) return false;
  std::string window;
  for (std::uint64_t at = 0; at < static_cast<std::uint64_t>(blob->bytes); at += kPart) {
    auto part = context.store().read_blob(blob->sha256, at, kPart);
    if (!part || part->empty()) return false;
    window += *part;
    if (holds(window, wanted)) return true;
    if (window.size() > wanted.size()) window.erase(0, window.size() - wanted.size());
  }
  return false;
}

// ?search=, in lower case.
std::expected<std::string, Problem> wanted_text(const Request& request) {
  constexpr std::size_t kMaxSearch = 400;
  std::string wanted = ascii_lower(request.query_value("search").value_or(""));
  if (wanted.size() <= kMaxSearch) return wanted;
  return std::unexpected(
      Problem(400, "invalid_parameter", fmt::format("'search' may have {} bytes", kMaxSearch)));
}

Response list_steps(ApiContext& context, Request& request) {
  const std::string run(request.param("id"));
  const auto wanted = wanted_text(request);
  if (!wanted) return wanted.error().response();
  auto steps = steps_of(context, run);
  if (!steps) return steps.error().response();
  Json rows = Json::array();
  for (Json& step : *steps) {
    if (wanted->empty() || holds(context, run, step, *wanted)) rows.push_back(std::move(step));
  }
  return json_response({{"steps", std::move(rows)}});
}

// ---- what the code of steps wrote, by line

constexpr std::uint32_t kUsualLines = 1000;
constexpr std::uint32_t kMostLines = 10'000;

// Calls `see` for each line of what the steps wrote, in the order of the steps, until it says no.
template <typename See>
void each_line(const Json& steps, const See& see) {
  for (const Json& step : steps) {
    const auto log = step.find("log");
    if (log == step.end() || !log->is_string()) continue;
    std::string_view rest = log->get_ref<const std::string&>();
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      if (!see(step, rest.substr(0, end))) return;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
}

Response list_logs(ApiContext& context, Request& request) {
  const std::string run(request.param("id"));
  const auto wanted = wanted_text(request);
  if (!wanted) return wanted.error().response();
  const auto limit = number_parameter(request, "limit", kUsualLines, 1, kMostLines);
  if (!limit) return limit.error().response();
  const auto after = place_parameter(request);
  if (!after) return after.error().response();
  const std::string only(request.query_value("step").value_or(""));
  const auto steps = steps_of(context, run);
  if (!steps) return steps.error().response();
  Json out = {{"lines", Json::array()}, {"next_cursor", nullptr}};
  std::uint64_t place = 0;
  each_line(*steps, [&](const Json& step, std::string_view line) {
    if (++place <= *after) return true;
    const std::string text(line);
    if (!only.empty() && dump_json(step["step"]) != only) return true;
    if (!wanted->empty() && !holds(text, *wanted)) return true;
    if (out["lines"].size() == *limit) {
      out["next_cursor"] = cursor_of(request.path, std::to_string(place - 1));
      return false;
    }
    out["lines"].push_back({{"step", step["step"]},
                            {"kind", step.value("kind", "")},
                            {"name", step.value("name", "")},
                            {"text", text}});
    return true;
  });
  return json_response(out);
}

}  // namespace

void add_output_routes(Router& router, ApiContext& context) {
  router.add("GET", "/api/v1/runs/{id}/trace", Permission::kRead, context.answering(show_trace), {"cursor"});
  router.add("GET", "/api/v1/runs/{id}/steps", Permission::kRead, context.answering(list_steps), {"search"});
  router.add("GET", "/api/v1/runs/{id}/logs", Permission::kRead, context.answering(list_logs),
             {"step", "search", "limit", "cursor"});
  router.add("GET", "/api/v1/runs/{id}/steps/{step}/output", Permission::kRead,
             context.blocking(show_output));
  router.add("GET", "/api/v1/runs/{id}/blobs/{sha256}", Permission::kRead, context.blocking(show_blob));
}

}  // namespace holdfast::http
