// What others may ask of a run, and tell it.

#include "agent/loop.h"
#include "protocol/names.h"
#include "protocol/undo.h"

namespace holdfast::agent {

std::int64_t Loop::now_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(ctx_.now().time_since_epoch()).count();
}

Json Loop::status() const {
  Json approvals = Json::array();
  for (const auto& [id, pending] : pending_) {
    if (pending->decision || pending->closed) continue;
    Json approval = told_of(id, *pending);
    if (!pending->request.rule.empty()) approval["rule"] = pending->request.rule;
    if (const auto& terms = pending->request.terms) {
      approval["escalated"] = pending->level;
      if (pending->request.question.is_null())
        approval.update({{"need", terms->quorum}, {"have", pending->votes.size()}});
    }
    approvals.push_back(std::move(approval));
  }
  Json calls = Json::array();
  for (const auto& [step, state] : calls_) calls.push_back({{"step", step}, {"state", state}});
  const bool asks = !approvals.empty() && phase_ == "tools";
  Json out = {{"agent", input_.agent},
              {"version", progress_.plan.version},
              {"phase", budget_.is_waiting() ? "budget"
                        : asks               ? "approval"
                                             : phase_},
              {"iteration", progress_.iteration},
              {"max_iterations", progress_.plan.max_iterations},
              {"step", progress_.step},
              {"usage", progress_.usage},
              {"conversation", progress_.head},
              {"messages", progress_.messages.size()},
              {"approvals", approvals},
              {"calls", calls}};
  for (const auto& [ordinal, round] : code_rounds_) out["code"][std::to_string(ordinal)] = round;
  if (!undoing_.undone().empty()) out["undone"] = undoing_.undone();
  for (const DetachedCall& one : progress_.detached) {
    Json open = {{"id", one.id}, {"tool", one.call.tool}, {"step", one.call.step}};
    if (one.deadline_ms > 0) open["deadline_ms"] = one.deadline_ms;
    out["detached"].push_back(std::move(open));
  }
  if (const auto& planning = progress_.planning) {
    out["plan"] = {{"stage", to_string(planning->stage)},
                   {"step", planning->at},
                   {"steps", planning->steps},
                   {"carried_out", planning->carried_out},
                   {"rejections", planning->rejections}};
  }
  if (!progress_.allowed.empty()) out["allowed"] = progress_.allowed;
  if (progress_.hold) out["hold"] = *progress_.hold;
  return out;
}

void Loop::register_handlers() {
  auto self = shared_from_this();
  ctx_.on_query(kStatusQuery, [self]() { return self->status(); });
  ctx_.on_query(kUndoableQuery,
                [self]() { return Json(self->undoing_.with_standing(self->progress_.undoable)); });
  ctx_.on_update(kBudgetUpdate,
                 [self](BudgetNews news) { return self->budget_.take(news, self->progress_); });
  ctx_.on_update(
      kDecideUpdate, [self](Decision decision) { return self->decide(decision); },
      [self](const Decision& decision) {
        self->check_decision(decision);
        check_answer(*self->pending_.at(decision.approval), decision);
      });
  ctx_.on_update(
      kCompleteUpdate, [self](const CompletionNews& news) { return self->take_completed(news); },
      [self](const CompletionNews& news) { self->check_completed(news); });
  ctx_.on_update(
      kMessageUpdate, [self](SentMessage message) { return self->take_message(message); },
      [self](const SentMessage& message) { self->check_message(message); });
  ctx_.on_update(
      kPauseUpdate, [self](PauseRequest request) { return self->pause(std::move(request)); },
      [self](const PauseRequest&) { self->check_pause(); });
  ctx_.on_update(
      kResumeUpdate, [self](ResumeRequest request) { return self->resume(std::move(request)); },
      [self](const ResumeRequest&) { self->check_held(false); });
  ctx_.on_update(
      kGiveUpUpdate, [self](GiveUpRequest request) { return self->give_up(std::move(request)); },
      [self](const GiveUpRequest&) { self->check_held(true); });
}

}  // namespace holdfast::agent
