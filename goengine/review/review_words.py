"""What a review says, in English and Korean."""

from __future__ import annotations

from dataclasses import dataclass

from goengine.review.game_summary import Mark
from goengine.types import BLACK


@dataclass(frozen=True)
class ReviewWords:
    """The words of one language; `{}` stands for what changes."""

    code: str
    """As HTML names the language."""
    title: str
    """Of two players."""
    black: str
    white: str
    komi: str
    move: str
    player: str
    moves: str
    accuracy: str
    points_lost: str
    agreement: str
    better: str
    played: str
    costliest: str
    nothing_lost: str
    winrate: str
    score: str
    black_winrate: str
    black_score: str
    lost: str
    """Of points and per cent."""
    summary: str
    graph: str
    graph_note: str
    board_note: str
    method: str
    """Of visits and network."""
    winrate_line: str
    """In a comment: Black's win rate and score."""
    cost_line: str
    """In a comment: points lost and what was better."""
    pass_word: str
    even: str
    marks: dict[Mark, str]

    def colour(self, colour: int) -> str:
        """Return the name of a colour."""
        return self.black if colour == BLACK else self.white

    def lead(self, points: float) -> str:
        """Return a lead of Black's as people write it, `B+3.5`."""
        if abs(points) < 0.05:
            return self.even
        return f"{'B' if points > 0 else 'W'}+{abs(points):.1f}"


ENGLISH = ReviewWords(
    code="en",
    title="{} – {}",
    black="Black",
    white="White",
    komi="komi {}",
    move="Move",
    player="Player",
    moves="Moves",
    accuracy="Accuracy",
    points_lost="Points lost a move",
    agreement="Best move found",
    better="Better",
    played="Played",
    costliest="The moves that cost most",
    nothing_lost="No move cost anything.",
    winrate="Win rate",
    score="Score",
    black_winrate="Black's win rate, %",
    black_score="Black's lead, points",
    lost="Cost {:.1f} points, {:.0f} % win rate",
    summary="The players",
    graph="The course of the game",
    graph_note="Above the middle Black is ahead. A dot marks a move that cost much.",
    board_note="The position before the move. Red ring: the move played. Blue: what the analysis "
    "looked at most, in per cent of its visits. Squares: whose each point will be.",
    method="{} visits a position, network {}. Accuracy is 100 × 0.75^(points lost a move). "
    "Few visits are not certain: differences of a point mean little.",
    winrate_line="Black's win rate {:.1f} %, score {}",
    cost_line="Cost {:.1f} points. Better: {} ({})",
    pass_word="pass",
    even="even",
    marks={
        Mark.GOOD: "Good",
        Mark.DOUBTFUL: "Doubtful",
        Mark.BAD: "Bad",
        Mark.VERY_BAD: "Very bad",
    },
)
KOREAN = ReviewWords(
    code="ko",
    title="{} 대 {}",
    black="흑",
    white="백",
    komi="덤 {}",
    move="수",
    player="대국자",
    moves="둔 수",
    accuracy="정확도",
    points_lost="한 수당 손해(집)",
    agreement="최선의 수와 일치",
    better="더 좋은 수",
    played="실전",
    costliest="손해가 가장 큰 수",
    nothing_lost="손해를 본 수가 없습니다.",
    winrate="승률",
    score="형세",
    black_winrate="흑의 승률, %",
    black_score="흑이 앞선 집 수",
    lost="{:.1f}집 손해, 승률 {:.0f} % 하락",
    summary="대국자",
    graph="대국의 흐름",
    graph_note="가운데보다 위에 있으면 흑이 앞서 있습니다. 점은 손해가 컸던 수입니다.",
    board_note="수를 두기 전의 국면입니다. 빨간 동그라미는 실전의 수, 파란 점은 분석이 많이 "
    "살펴본 수(방문 수의 %), 네모는 각 자리가 누구의 집이 될지를 나타냅니다.",
    method="국면마다 방문 수 {}, 신경망 {}. 정확도는 100 × 0.75^(한 수당 손해)입니다. "
    "방문 수가 적으면 확실하지 않으며, 한 집 정도의 차이는 큰 의미가 없습니다.",
    winrate_line="흑 승률 {:.1f} %, 형세 {}",
    cost_line="{:.1f}집 손해. 더 좋은 수: {} ({})",
    pass_word="통과",
    even="호각",
    marks={
        Mark.GOOD: "좋은 수",
        Mark.DOUBTFUL: "의문수",
        Mark.BAD: "나쁜 수",
        Mark.VERY_BAD: "대악수",
    },
)
LANGUAGES = {"en": ENGLISH, "ko": KOREAN}
"""By the code of the language."""
