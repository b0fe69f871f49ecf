#include "core/rate_table.hpp"

#include <algorithm>
#include <utility>

namespace headway {

rate_table::refill::refill(token_rate rate) : limited{rate.per_second > 0} {
  if (!limited)
    return;
  using std::chrono::duration_cast;
  step = duration_cast<steady_time::duration>(std::chrono::duration<double>(1 / rate.per_second));
  whole = duration_cast<steady_time::duration>(std::max(rate.burst, 1.0) * step);
}

rate_table::rate_table(token_rate total, token_rate per_key, std::size_t keys_max)
  : total_{total}, per_key_{per_key}, young_max_{std::max<std::size_t>(keys_max / 2, 1)} {}

result<void> rate_table::take(std::string_view key, steady_time now) {
  std::lock_guard lock{mutex_};
  auto by_key = per_key_.limited && !key.empty();
  auto key_before = by_key ? full_at(key) : steady_time{};
  auto key_after = per_key_.after_one(key_before, now);
  if (by_key && !per_key_.allows(key_after, now)) { // it takes nothing of what is everybody's
    put(key, key_before, now);                      // and is not forgotten while it goes on
    return errc::rate_limited;
  }
  auto total_after = total_.after_one(total_full_at_, now);
  if (total_.limited && !total_.allows(total_after, now))
    return errc::overloaded;
  total_full_at_ = total_after;
  if (by_key)
    put(key, key_after, now);
  return {};
}

bool rate_table::has(std::string_view key, steady_time now) const {
  if (!per_key_.limited || key.empty())
    return true;
  std::lock_guard lock{mutex_};
  return per_key_.allows(per_key_.after_one(full_at(key), now), now);
}

std::size_t rate_table::keys() const {
  std::lock_guard lock{mutex_};
  return young_.size() + old_.size();
}

steady_time rate_table::full_at(std::string_view key) const {
  if (auto it = young_.find(key); it != young_.end())
    return it->second;
  auto it = old_.find(key);
  return it == old_.end() ? steady_time{} : it->second;
}

void rate_table::put(std::string_view key, steady_time full_at, steady_time now) {
  // After one whole refill all that was not touched since is full: an old generation is dropped without a look.
  if (young_.size() >= young_max_ || now - young_since_ > per_key_.whole) {
    old_ = std::exchange(young_, {});
    young_since_ = now;
  }
  if (auto it = old_.find(key); it != old_.end())
    old_.erase(it);
  young_.insert_or_assign(std::string{key}, full_at);
}

} // namespace headway
