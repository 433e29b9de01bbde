#include "net/crowd.h"

namespace holdfast::net {

void Crowd::Place::wait(For what) {
  leave();
  Members& members = crowd_.waiting_[static_cast<std::size_t>(what)];
  at_ = members.insert(members.end(), &session_);
  what_ = what;
}

void Crowd::Place::leave() {
  if (!what_) return;
  crowd_.waiting_[static_cast<std::size_t>(*what_)].erase(at_);
  what_.reset();
}

void Crowd::Place::begin_next() {
  if (what_ == For::kNextRequest) wait(For::kRequest);
}

SessionBase* Crowd::first_to_go() const {
  const auto& [requests, readers, next_requests] = waiting_;
  if (!requests.empty()) return requests.front();
  if (readers.size() >= kReadersAtOnce) return readers.front();
  return next_requests.empty() ? nullptr : next_requests.front();
}

}  // namespace holdfast::net
