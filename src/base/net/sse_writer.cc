#include "net/sse_writer.h"

namespace holdfast::net {

namespace {

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += '\n';
}

}  // namespace

void append_sse_event(std::string& out, std::string_view id, std::string_view type, std::string_view data) {
  if (!id.empty()) append_field(out, "id", id);
  if (!type.empty()) append_field(out, "event", type);
  while (true) {
    const std::size_t end = data.find('\n');
    append_field(out, "data", data.substr(0, end));
    if (end == std::string_view::npos) break;
    data.remove_prefix(end + 1);
  }
  out += '\n';
}

std::string sse_event(std::string_view type, std::string_view data) {
  std::string out;
  append_sse_event(out, {}, type, data);
  return out;
}

}  // namespace holdfast::net
