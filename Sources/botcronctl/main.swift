print("botcronctl")
