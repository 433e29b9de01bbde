#include "runs/run_traces.h"

namespace holdfast::runs {

Result<RunTraceView> trace_of_run(Runs& runs, platform::Store& store, const std::string& id) {
  constexpr std::uint32_t kPage = 1000;
  auto run = runs.find(id);
  if (!run) return fail(run.error());
  auto context = platform::trace_of(store, id);
  if (!context) return fail(context.error());
  RunTrace trace;
  std::string cursor;
  while (true) {
    auto page = runs.events(id, cursor, kPage);
    if (!page) return fail(page.error());
    if (page->reset) trace = RunTrace();
    for (const platform::Event& event : page->events) trace.apply(event);
    cursor = page->cursor;
    if (page->events.size() < kPage) break;
  }
  RunTraceView out;
  out.context = *std::move(context);
  out.spans = trace.spans();
  out.report = trace_report(trace, out.spans);
  return out;
}

}  // namespace holdfast::runs
