def queens(board_size):
    def attacks(row, distance, placed):
        while placed is not None:
            other, placed = placed
            if other == row or other == row + distance or other == row - distance:
                return True
            distance += 1
        return False

    def place(column, placed):
        if column == board_size:
            return 1
        count = 0
        for row in range(board_size):
            if not attacks(row, 1, placed):
                count += place(column + 1, (row, placed))
        return count

    return place(0, None)


def run():
    return queens(8)
