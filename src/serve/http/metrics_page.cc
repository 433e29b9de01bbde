#include "http/metrics_page.h"

namespace holdfast::http {

MetricsPage::MetricsPage(const metrics::Registry& registry, const identity::Gate& gate,
                         std::string namespace_name, std::unique_ptr<Executor> thread)
    : registry_(registry), router_(&gate, std::move(namespace_name)), thread_(std::move(thread)) {
  router_.add("GET", "/metrics", Permission::kRead, [this](Request request, Responder responder) {
    if (waiting_->fetch_add(1) >= kMaxWaiting) {
      --*waiting_;
      return responder.reply(
          Problem(503, "busy", "too many readers of /metrics at once").header("Retry-After", "1").response());
    }
    const metrics::Format format = metrics::format_for(request.header("accept"));
    thread_->post([this, format, waiting = waiting_, responder = std::move(responder)]() mutable {
      Response out;
      out.content_type = std::string(metrics::content_type(format));
      out.body = registry_.read(format);
      responder.reply(std::move(out));
      --*waiting;
    });
  });
}

void MetricsPage::handle(Request request, Responder responder) {
  router_.handle(std::move(request), std::move(responder));
}

}  // namespace holdfast::http
