#include "early_answers.h"

namespace holdfast::crash {

Status EarlyAnswers::write_held() const {
  std::lock_guard lock(mutex_);
  if (held_.empty()) return {};
  Status status = store_.commit(held_);
  held_.clear();
  return status;
}

Status EarlyAnswers::commit(const store::WriteBatch& batch) {
  if (Status status = write_held(); !status.ok()) return status;
  std::lock_guard lock(mutex_);
  held_ = batch;
  return {};
}

Result<std::optional<std::string>> EarlyAnswers::get(std::string_view key) const {
  if (Status status = write_held(); !status.ok()) return fail(std::move(status));
  return store_.get(key);
}

Status EarlyAnswers::scan(std::string_view begin, std::string_view end, const Visitor& visit) const {
  if (Status status = write_held(); !status.ok()) return status;
  return store_.scan(begin, end, visit);
}

Status EarlyAnswers::scan_reverse(std::string_view begin, std::string_view end, const Visitor& visit) const {
  if (Status status = write_held(); !status.ok()) return status;
  return store_.scan_reverse(begin, end, visit);
}

}  // namespace holdfast::crash
